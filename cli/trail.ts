import { openStorage } from '../db/open.ts'
import type { Verification } from '../domain/audits/chain.ts'
import type { AuditHead } from '../domain/audits/rows.ts'
import { createAuditService } from '../domain/audits/service.ts'

/** Walks the audit trail of a database, and compares it with an entry that was noted. */
export const verifyDatabase = async (databaseUrl: string, noted: AuditHead | undefined): Promise<Verification> => {
  const storage = await openStorage(databaseUrl)
  try {
    return await createAuditService(storage).verify(noted)
  } finally {
    await storage.close()
  }
}
