import type { KnownToken } from '../keys/client-key.ts'
import { permissionBoundaryOf } from '../keys/policy/permission-boundary.ts'
import { serviceOf } from '../keys/policy/scopes.ts'
import { expandScopes } from '../services/catalog.ts'
import type { Services } from '../services/catalog.ts'
import type { View } from './view.ts'

/** What a requester may know about an active token. */
export interface Description {
  readonly token: KnownToken
  /** The scopes of services that the key has, with `orders:*` expanded. */
  readonly scopes: readonly string[]
  /** The audiences of the services to which `scopes` belong. */
  readonly audiences: readonly string[]
  /** When the token or its key expires, whichever is first, or null if neither does. */
  readonly expiresAt: Date | null
}

/** The services that a requester sees, and the descriptions of tokens for that requester. */
export interface VisibleServices {
  readonly services: Services
  /** Returns the description of a token. It is the same object until the services or the token change. */
  readonly describe: (token: KnownToken) => Description
}

/**
 * Creates a function that returns what is visible in a view of the given services. Descriptions are cached: both the
 * catalog and the cache of tokens return the same objects until something changes.
 */
export const createVisibleServices = (): ((view: View, services: Services) => VisibleServices) => {
  const known = new WeakMap<Services, Map<string, VisibleServices>>()
  return (view, services) => {
    const views = known.get(services) ?? new Map<string, VisibleServices>()
    known.set(services, views)
    const name = view === null ? '*' : view.join(' ')
    const visible = views.get(name) ?? describing(servicesIn(view, services))
    views.set(name, visible)
    return visible
  }
}

const servicesIn = (view: View, services: Services): Services =>
  view === null ? services : new Map([...services].filter(([name]) => view.includes(name)))

const describing = (services: Services): VisibleServices => {
  const descriptions = new WeakMap<KnownToken, Description>()
  return {
    services,
    describe: token => {
      const description = descriptions.get(token) ?? describe(token, services)
      descriptions.set(token, description)
      return description
    }
  }
}

const describe = (token: KnownToken, services: Services): Description => {
  const scopes = expandScopes(services, token.key.scopes)
  return { token, scopes, audiences: audiencesOf(scopes, services), expiresAt: permissionBoundaryOf(token).expiresAt }
}

const audiencesOf = (scopes: readonly string[], services: Services): string[] => {
  const names = new Set(scopes.map(serviceOf))
  return [...new Set([...names].flatMap(name => services.get(name ?? '')?.audience ?? []))]
}
