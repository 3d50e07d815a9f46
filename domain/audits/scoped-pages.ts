import type { ReadOptions } from '../transaction.ts'
import type { Transactor } from '../transactor.ts'
import type { ScopedAudit, ScopedAuditReads, ScopedSearch } from './scope.ts'

/**
 * The maximum number of entries that are counted beyond the requested page. Counting all of them would require reading
 * the whole trail.
 */
const COUNTED_AHEAD = 1000

export interface AuditPage {
  /** The total number of pages. At most 1000 entries beyond this page are counted. */
  readonly totalPages: number
  readonly audits: readonly ScopedAudit[]
}

export interface ScopedAuditService {
  /** Returns a page of the entries that match a search, newest first. The first page is 1. */
  readonly page: (
    search: ScopedSearch,
    page: { readonly page: number; readonly perPage: number },
    options?: ReadOptions
  ) => Promise<AuditPage>
}

export const createScopedAuditService = ({
  read
}: Pick<Transactor<{ scopedAudits: ScopedAuditReads }>, 'read'>): ScopedAuditService => ({
  page: async (search, { page, perPage }, options) => {
    const end = page * perPage
    return await read(async ({ scopedAudits }) => {
      const found = await scopedAudits.find(search, { limit: end + COUNTED_AHEAD })
      const shown = found.slice(end - perPage, end)
      return {
        totalPages: Math.ceil(found.length / perPage),
        audits: await scopedAudits.read(search.scope, shown)
      }
    }, options)
  }
})
