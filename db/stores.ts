import type { AppStore } from '../domain/apps/store.ts'
import type { Origin } from '../domain/audits/audit.ts'
import type { AuditStore } from '../domain/audits/store.ts'
import type { ClientKeyStore } from '../domain/keys/store.ts'
import type { OrganizationStore } from '../domain/organizations/store.ts'
import type { UserStore } from '../domain/users/store.ts'
import type { Sample } from './sample.ts'

/** Everything the service keeps, whatever the engine. */
export interface Stores {
  readonly apps: AppStore
  readonly audits: AuditStore
  readonly clientKeys: ClientKeyStore
  readonly organizations: OrganizationStore
  readonly users: UserStore
  /** Resolves when the database answers a query; rejects when it does not. */
  ping: () => Promise<void>
  /**
   * Stores the sample, whole or not at all, with one password for all its users; answers false, and stores nothing,
   * where there are apps, users or organizations already.
   */
  loadSample: (sample: Sample, passwordHash: string, origin: Origin) => Promise<boolean>
  close: () => void
}
