import type { AppReads, AppRows } from './apps/rows.ts'
import type { AuditReads, AuditRows } from './audits/rows.ts'
import type { ScopedAuditReads } from './audits/scope.ts'
import type { KeyReads, KeyUsageRows } from './keys/rows.ts'
import type { ServiceReads } from './services/rows.ts'
import type { OrganizationReads, OrganizationRows } from './organizations/rows.ts'
import type { UserReads, UserRows } from './users/rows.ts'
import type { Now } from './time.ts'
import type { TransactorOf } from './transaction.ts'

/** The rows that can be read. Each call is a separate read, so two calls may see different states. */
export interface Reads {
  readonly apps: AppReads
  readonly audits: AuditReads
  readonly scopedAudits: ScopedAuditReads
  readonly keys: KeyReads
  readonly organizations: OrganizationReads
  readonly services: ServiceReads
  readonly users: UserReads
  readonly now: Now
}

/** The rows that can be read and written in a transaction. */
export interface Tx {
  readonly apps: AppRows
  readonly audits: AuditRows
  readonly keys: KeyUsageRows
  readonly organizations: OrganizationRows
  readonly users: UserRows
  readonly now: Now
}

/** Gives services access to stored rows. */
export type Transactor<R = Reads, W = Tx> = TransactorOf<R, W>
