import type { ReadOptions } from '../transaction.ts'
import type { Transactor } from '../transactor.ts'
import type { ScopedAudit, ScopedAuditReads, ScopedSearch } from './scope.ts'

/** How many entries after a page are counted; to count all would take as long as to read a long trail. */
const COUNTED_AHEAD = 1000

export interface AuditPage {
  /** How many pages there are. If there are very many, only those that follow soon are counted. */
  readonly totalPages: number
  readonly audits: readonly ScopedAudit[]
}

export interface ScopedAuditService {
  /** A page of what a search finds, the newest entry first. `page` begins with 1. */
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
