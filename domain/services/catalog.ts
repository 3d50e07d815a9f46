import { ALL_KEYS } from '../keys/freshness/lease-store.ts'
import type { KeyFreshness } from '../keys/freshness/freshness.ts'
import { scopesOfService, serviceOf } from '../keys/policy/scopes.ts'
import type { Service } from './service.ts'

/** All services by name. */
export type Services = ReadonlyMap<string, Service>

/** The services in the memory of this process. */
export interface ServiceCatalog {
  /**
   * Returns all services, including every change that was committed before this call, on any node. Reads them only if
   * a change may have been made since they were last read. Rejects if that can't be determined.
   */
  readonly current: () => Promise<Services>
}

export interface ServiceCatalogOptions {
  readonly freshness: KeyFreshness
  /** Reads all services. */
  readonly read: () => Promise<readonly Service[]>
}

/** Services that were read, or are being read, after the given mark was taken. */
interface Known {
  readonly mark: number
  readonly services: Promise<Services>
}

/** Creates the catalog of services. It is as fresh as the cached keys: see `KeyFreshness`. */
export const createServiceCatalog = ({ freshness, read }: ServiceCatalogOptions): ServiceCatalog => {
  let known: Known | null = null

  const readAll = async (): Promise<Services> =>
    new Map((await read()).map(service => [service.name, Object.freeze(service)]))

  const readAgain = (): Promise<Services> => {
    const mark = freshness.mark()
    const services = readAll()
    if (mark === null) return services
    const reading = { mark, services }
    known = reading
    services.catch(() => {
      if (known === reading) known = null
    })
    return services
  }

  return {
    current: () =>
      freshness
        .barrier()
        .then(() => (known !== null && freshness.isFresh(known.mark, ALL_KEYS) ? known.services : readAgain()))
  }
}

/** Returns whether a scope belongs to a service and exists. `orders:*` exists if the service does. */
export const isServiceScope = (services: Services, scope: string): boolean => {
  const service = services.get(serviceOf(scope) ?? '')
  return service !== undefined && isScopeOf(service, scope)
}

/** Returns whether the service defines a scope. `orders:*` is a scope of the service `orders`. */
export const isScopeOf = ({ name, scopes }: Service, scope: string): boolean =>
  scope === scopesOfService(name) || scopes.some(defined => defined.name === scope)

/**
 * Returns the scopes of services that a key with the given scopes has now, ordered by service. `orders:*` becomes all
 * scopes of the service `orders`. Scopes of this API, and scopes that don't exist, are left out.
 */
export const expandScopes = (services: Services, scopes: readonly string[]): string[] => {
  const named = new Set(scopes.flatMap(scope => serviceOf(scope) ?? []))
  return [...named].sort().flatMap(name => {
    const defined = services.get(name)?.scopes ?? []
    const hasAll = scopes.includes(scopesOfService(name))
    return defined.flatMap(scope => (hasAll || scopes.includes(scope.name) ? scope.name : []))
  })
}
