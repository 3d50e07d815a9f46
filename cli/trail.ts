import type { Verification } from '../domain/audits/chain.ts'
import type { AuditHead } from '../domain/audits/rows.ts'
import { createAuditService } from '../domain/audits/service.ts'
import { withStorage } from './storage.ts'
import type { Terminal } from './terminal.ts'

/** Walks the audit trail of the database, and compares it with an entry that was noted. */
export const verifyDatabase = async (terminal: Terminal, noted: AuditHead | undefined): Promise<Verification> =>
  await withStorage(terminal, async storage => await createAuditService(storage).verify(noted))
