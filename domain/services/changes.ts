import type { RequestContext } from '../access/principal.ts'
import { creation, differences } from '../audits/audit.ts'
import type { Changes } from '../audits/audit.ts'
import { appendAudit } from '../audits/service.ts'
import { ServiceInUse, ServiceNameTaken, ServiceNotFound, TooManyServices } from '../errors.ts'
import { currentBoundary } from '../keys/policy/permission-boundary.ts'
import { introspectionOf, scopesOfService } from '../keys/policy/scopes.ts'
import { isServiceName, MAX_SERVICES } from './checks.ts'
import type { Service, ServiceChange, WantedService } from './service.ts'
import type { ServiceTx } from './store.ts'

/** The time of a change, and the context of the request that caused it. */
export interface Occasion {
  readonly at: Date
  readonly context: RequestContext
}

/** A change that has been decided on, but not written yet. */
export interface ServicePlan {
  readonly service: Service
  /** The number of keys that lose scopes. */
  readonly keys: number
  readonly write: () => Promise<void>
}

/** Throws InvalidToken or InsufficientScope if the requester's key may no longer change services. */
const refuseEndedRequester = async (tx: ServiceTx, occasion: Occasion): Promise<void> => {
  await currentBoundary(tx.keys, occasion, 'services:write')
}

// The audit trail contains no descriptions of scopes, because it is permanent and they may be long.
const audited = ({ name, description, audience, scopes }: Service): Record<string, unknown> => ({
  name,
  description,
  audience,
  scopes: scopes.map(scope => scope.name)
})

const audit = async (
  { audits }: ServiceTx,
  verb: string,
  name: string,
  { at, context, changes }: Occasion & { readonly changes: Changes }
): Promise<void> => {
  const subject = { type: 'service', id: name } as const
  await appendAudit(audits, { at, source: context, action: `service.${verb}`, subject, changes })
}

/** Plans the creation of a service. */
export const createService = async (
  tx: ServiceTx,
  { name, description = null, audience = null, scopes = [] }: WantedService,
  occasion: Occasion
): Promise<ServicePlan> => {
  const [namesake, count] = await Promise.all([
    tx.services.find(name),
    tx.services.count(),
    refuseEndedRequester(tx, occasion)
  ])
  if (namesake !== null) throw new ServiceNameTaken()
  if (count >= MAX_SERVICES) throw new TooManyServices()
  const service = { name, description, audience, scopes, createdAt: occasion.at, updatedAt: occasion.at }
  const write = async (): Promise<void> => {
    await tx.services.insert(service)
    await audit(tx, 'create', name, { ...occasion, changes: creation(audited(service)) })
  }
  return { service, keys: 0, write }
}

/** Plans a change to a service. Keys lose the scopes that the service no longer has. */
export const changeService = async (
  tx: ServiceTx,
  name: string,
  { force, ...change }: ServiceChange & { readonly force: boolean },
  occasion: Occasion
): Promise<ServicePlan> => {
  const before = await existing(tx, name, occasion)
  const changed = { ...before, ...change }
  const removed = before.scopes.map(scope => scope.name).filter(scope => !hasScope(changed, scope))
  const keys = await countKeys(tx, removed, force)
  const changes = {
    ...differences(audited(before), audited(changed)),
    ...(isDescribedAlike(before, changed) ? {} : { scope_descriptions: { changed: true } as const })
  }
  const isSame = Object.keys(changes).length === 0
  const service = isSame ? before : { ...changed, updatedAt: occasion.at }
  const write = async (): Promise<void> => {
    if (isSame) return
    await tx.services.update(service)
    await takeScopes(tx, removed, keys)
    await audit(tx, 'change', name, { ...occasion, changes: { ...changes, ...lostBy(keys) } })
  }
  return { service, keys, write }
}

const hasScope = ({ scopes }: Service, name: string): boolean => scopes.some(scope => scope.name === name)

const isDescribedAlike = (one: Service, other: Service): boolean => {
  const described = new Map(one.scopes.map(scope => [scope.name, scope.description]))
  return other.scopes.every(({ name, description }) => (described.get(name) ?? null) === description)
}

/** Plans the removal of a service. Keys lose all its scopes. */
export const removeService = async (
  tx: ServiceTx,
  name: string,
  { force }: { readonly force: boolean },
  occasion: Occasion
): Promise<ServicePlan> => {
  const service = await existing(tx, name, occasion)
  const removed = [...service.scopes.map(scope => scope.name), scopesOfService(name), introspectionOf(name)]
  const keys = await countKeys(tx, removed, force)
  const write = async (): Promise<void> => {
    await tx.services.remove(name)
    await takeScopes(tx, removed, keys)
    await audit(tx, 'delete', name, { ...occasion, changes: lostBy(keys) })
  }
  return { service, keys, write }
}

const existing = async (tx: ServiceTx, name: string, occasion: Occasion): Promise<Service> => {
  const [service] = await Promise.all([findService(tx.services, name), refuseEndedRequester(tx, occasion)])
  return service
}

/** Returns the service with the given name. Throws ServiceNotFound. */
export const findService = async ({ find }: Pick<ServiceTx['services'], 'find'>, name: string): Promise<Service> => {
  // A text that isn't a name may contain characters that a database refuses.
  const found = isServiceName(name) ? await find(name) : null
  if (found === null) throw new ServiceNotFound()
  return found
}

/** Returns the number of keys with any of the given scopes. Throws ServiceInUse if there are any, without `force`. */
const countKeys = async ({ services }: ServiceTx, scopes: readonly string[], force: boolean): Promise<number> => {
  if (scopes.length === 0) return 0
  const keys = await services.countKeys(scopes)
  if (keys > 0 && !force) {
    const [have, them] = keys === 1 ? ['key has', 'it'] : ['keys have', 'them']
    throw new ServiceInUse({
      message:
        `${keys} client ${have} scopes that would be removed. To take these scopes from ${them}, repeat the request ` +
        'with force=true.'
    })
  }
  return keys
}

const takeScopes = async ({ services }: ServiceTx, scopes: readonly string[], keys: number): Promise<void> => {
  if (keys > 0) await services.takeScopes(scopes)
}

const lostBy = (keys: number): Changes => (keys === 0 ? {} : { changed_keys: { to: keys } })
