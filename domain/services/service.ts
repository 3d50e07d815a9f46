/** A scope of a service, such as `orders:read`. */
export interface ServiceScope {
  /** The name of the service, a colon, and the part that the service chooses. */
  readonly name: string
  readonly description: string | null
}

/** Another program whose requests are authorized with the keys of this service. */
export interface Service {
  /** Identifies the service. It is the first part of each of its scopes, and never changes. */
  readonly name: string
  readonly description: string | null
  /** The identifier of the service in the replies of introspection, usually a URI, or null if it has none. */
  readonly audience: string | null
  readonly scopes: readonly ServiceScope[]
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** The fields of a service that can be changed. Omitted fields stay unchanged. */
export interface ServiceChange {
  readonly description?: string | null
  readonly audience?: string | null
  /** Replaces all scopes of the service. */
  readonly scopes?: readonly ServiceScope[]
}

/** The fields of a new service. */
export interface WantedService extends ServiceChange {
  readonly name: string
}
