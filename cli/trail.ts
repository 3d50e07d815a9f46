import { openStorage } from '../db/open.ts'
import { verifyTrail } from '../domain/audits/chain.ts'
import type { AuditHead } from '../domain/audits/rows.ts'
import { createAuditService } from '../domain/audits/service.ts'

/** Walks the audit trail of a database, and compares it with an entry that was noted. */
export const verifyDatabase = async (
  databaseUrl: string,
  noted: AuditHead | undefined
): ReturnType<typeof verifyTrail> => {
  const storage = openStorage(databaseUrl)
  try {
    const audits = createAuditService(storage)
    return await verifyTrail(audits.trail(), (await audits.head()).sequence, noted)
  } finally {
    storage.close()
  }
}
