import { NOT_REPORTED } from '../background.ts'
import type { BackgroundHooks } from '../background.ts'
import type { RequestContext } from '../access/principal.ts'
import { createConfirmCommitted } from '../keys/freshness/confirming.ts'
import { ALL_KEYS } from '../keys/freshness/lease-store.ts'
import { receiptIdOf } from '../keys/freshness/receipt.ts'
import type { ChangedKey } from '../keys/freshness/receipt.ts'
import type { ReadOptions } from '../transaction.ts'
import { changeService, createService, findService, removeService } from './changes.ts'
import type { Occasion, ServicePlan } from './changes.ts'
import { MAX_SERVICES, refuseBadChange, refuseBadService } from './checks.ts'
import { isReservedName } from './reserved.ts'
import type { Service, ServiceChange, WantedService } from './service.ts'
import type { ServiceStore, ServiceTx } from './store.ts'

/** A service after a change or before its removal, and the receipt of the change. */
export interface ChangedService extends Pick<ChangedKey, 'receiptId' | 'receipt'> {
  readonly service: Service
  /** The number of keys that lost scopes. */
  readonly keys: number
}

/** Whether keys lose the scopes that a change removes. Without it, the change fails if any key has such a scope. */
interface Forced {
  readonly force: boolean
}

/**
 * The operations on services. Each change is one transaction, which every node applies before the promise resolves.
 * Changes throw InvalidToken or InsufficientScope if the requester's key may no longer change services, and
 * NodesOutdated if a node couldn't apply the change. Functions with a `name` throw ServiceNotFound.
 */
export interface ServiceRegistry {
  readonly find: (name: string) => Promise<Service>
  /** Returns at most `limit` services with names greater than `after`, ordered by name. */
  readonly page: (
    page: { readonly limit: number; readonly after?: string | undefined },
    options?: ReadOptions
  ) => Promise<{ services: Service[]; more: boolean }>
  /** Throws InvalidFields, ServiceNameTaken or TooManyServices. */
  readonly create: (wanted: WantedService, context: RequestContext) => Promise<ChangedService>
  /** Throws InvalidFields, or ServiceInUse if keys have a scope that the service would lose. */
  readonly change: (name: string, change: ServiceChange & Forced, context: RequestContext) => Promise<ChangedService>
  /** Throws ServiceInUse if keys have a scope of the service. */
  readonly remove: (name: string, options: Forced, context: RequestContext) => Promise<ChangedService>
  /** Returns the names of the services that this version reserves. */
  readonly reserved: () => Promise<string[]>
}

export interface ServiceRegistryOptions {
  readonly store: ServiceStore
  /** Reports changes that couldn't be confirmed. By default, nothing is reported. */
  readonly background?: BackgroundHooks | undefined
}

/** Decides on a change, in a transaction that then increments the revision and writes the change. */
type Decide = (tx: ServiceTx, occasion: Occasion) => Promise<ServicePlan>

/** Commits a change, and resolves when every node applies it. */
type Commit = (context: RequestContext, isBulk: boolean, decide: Decide) => Promise<ChangedService>

const createCommit = ({ store, background = NOT_REPORTED }: ServiceRegistryOptions): Commit => {
  const confirm = createConfirmCommitted(store, background, 'confirm a change to a service')
  return async (context, isBulk, decide) => {
    const decideAndWrite = async (tx: ServiceTx) => {
      const { write, ...decided } = await decide(tx, { at: tx.now(), context })
      const { position } = await tx.keys.advanceRevision(ALL_KEYS)
      await write()
      return { position, decided }
    }
    const { position, decided } = await store.write(decideAndWrite, { subject: ALL_KEYS, isBulk })
    const at = await position
    return { ...decided, receiptId: receiptIdOf(at), receipt: await confirm(at) }
  }
}

/** Creates the operations on services. */
export const createServiceRegistry = (options: ServiceRegistryOptions): ServiceRegistry => {
  const { read } = options.store
  const commit = createCommit(options)
  return {
    find: async name => await read(async ({ services }) => await findService(services, name)),

    page: async ({ limit, after }, readOptions) => {
      const found = await read(async ({ services }) => await services.page({ limit: limit + 1, after }), readOptions)
      return { services: found.slice(0, limit), more: found.length > limit }
    },

    create: async (wanted, context) => {
      refuseBadService(wanted)
      return await commit(context, false, async (tx, occasion) => await createService(tx, wanted, occasion))
    },

    change: async (name, change, context) => {
      refuseBadChange(name, change)
      return await commit(context, true, async (tx, occasion) => await changeService(tx, name, change, occasion))
    },

    remove: async (name, forced, context) =>
      await commit(context, true, async (tx, occasion) => await removeService(tx, name, forced, occasion)),

    reserved: async () => {
      const all = await read(async ({ services }) => await services.page({ limit: MAX_SERVICES }))
      return all.map(({ name }) => name).filter(isReservedName)
    }
  }
}
