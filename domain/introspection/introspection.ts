import { permissionBoundaryOf } from '../keys/policy/permission-boundary.ts'
import { serviceOf } from '../keys/policy/scopes.ts'
import type { KeyDemand, Verdict, Verifier } from '../keys/verdict/verifier.ts'
import { expandScopes, isServiceScope } from '../services/catalog.ts'
import type { ServiceCatalog, Services } from '../services/catalog.ts'
import type { KnownToken } from '../keys/client-key.ts'
import { requiring } from '../keys/verdict/scope-rule.ts'
import { servicesIn, visibleIn } from './view.ts'
import type { View } from './view.ts'

/** A question about a token that another program received. */
export interface Question {
  readonly token: string
  /** The scopes that the program requires, all of which the key must have. */
  readonly scopes: readonly string[]
  /** The IP address that sent the token. Without it, a key with `allowed_ips` is inactive. */
  readonly address?: string | undefined
}

/** An active token, and what the requester may know about it. */
export interface ActiveToken {
  readonly isActive: true
  readonly token: KnownToken
  /** The scopes of services that the key has, with `orders:*` expanded. */
  readonly scopes: readonly string[]
  /** The audiences of the services to which `scopes` belong. */
  readonly audiences: readonly string[]
  /** When the token or its key expires, whichever is first, or null if neither does. */
  readonly expiresAt: Date | null
}

/** A token that isn't active. The reason is for logs only; the requester must not see it. */
export interface InactiveToken {
  readonly isActive: false
  readonly reason: Extract<Verdict<'unknown_scope'>, { ok: false }>['reason']
  /**
   * Whether the requester may know that a required scope is missing, because the same question without scopes would
   * reveal it.
   */
  readonly isScopeMissing: boolean
  /** The token, if its key is known. */
  readonly token?: KnownToken
  /** The error because of which the rate limit couldn't be checked, if the reason is `limit_undecided`. */
  readonly cause?: unknown
}

export type Introspected = ActiveToken | InactiveToken

/**
 * Answers questions about tokens, in the order of the questions (RFC 7662). Each question counts as a use of the
 * token's key. Rejects if the store fails.
 */
export type Introspect = (view: View, questions: readonly Question[]) => Promise<Introspected[]>

export interface IntrospectionOptions extends Pick<Verifier, 'verifyAll'> {
  readonly catalog: ServiceCatalog
}

export const createIntrospection =
  ({ verifyAll, catalog }: IntrospectionOptions): Introspect =>
  async (view, questions) => {
    const services = servicesIn(view, await catalog.current())
    const verdicts = await verifyAll(
      questions.map(question => ({ token: question.token, demand: demandOf(question, view, services) }))
    )
    return verdicts.map(verdict => introspected(verdict, view, services))
  }

const demandOf = ({ scopes, address }: Question, view: View, services: Services): KeyDemand<'unknown_scope'> => {
  const required = [...new Set(scopes)]
  return {
    scopes: required.length === 0 ? visibleIn(view) : requiring(required),
    address,
    refusal: required.every(scope => isServiceScope(services, scope)) ? undefined : 'unknown_scope'
  }
}

const introspected = (verdict: Verdict<'unknown_scope'>, view: View, services: Services): Introspected => {
  if (!verdict.ok) {
    const { reason, token, cause } = verdict
    const isVisible = token !== undefined && visibleIn(view).isMetBy(token.key.scopes)
    const isScopeMissing = reason === 'insufficient_scope' && isVisible
    return { isActive: false, reason, isScopeMissing, cause, ...(token === undefined ? {} : { token }) }
  }
  const { token, key } = verdict
  const scopes = expandScopes(services, key.scopes)
  const { expiresAt } = permissionBoundaryOf(token)
  return { isActive: true, token, scopes, audiences: audiencesOf(scopes, services), expiresAt }
}

const audiencesOf = (scopes: readonly string[], services: Services): string[] => {
  const names = new Set(scopes.map(serviceOf))
  return [...new Set([...names].flatMap(name => services.get(name ?? '')?.audience ?? []))]
}
