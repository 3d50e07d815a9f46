import type { KeyDemand, Verdict, Verifier } from '../keys/verdict/verifier.ts'
import { isServiceScope } from '../services/catalog.ts'
import type { ServiceCatalog, Services } from '../services/catalog.ts'
import type { KnownToken } from '../keys/client-key.ts'
import { requiring } from '../keys/verdict/scope-rule.ts'
import { createVisibleServices } from './descriptions.ts'
import type { Description } from './descriptions.ts'
import { visibleIn } from './view.ts'
import type { View } from './view.ts'

/** A question about a token that another program received. */
export interface Question {
  readonly token: string
  /** The scopes that the program requires, all of which the key must have. */
  readonly scopes: readonly string[]
  /** The IP address that sent the token. Without it, a key with `allowed_ips` is inactive. */
  readonly address?: string | undefined
}

/** An active token. */
export interface ActiveToken {
  readonly isActive: true
  readonly description: Description
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

export const createIntrospection = ({ verifyAll, catalog }: IntrospectionOptions): Introspect => {
  const visibleServices = createVisibleServices()
  return async (view, questions) => {
    const { services, describe } = visibleServices(view, await catalog.current())
    const demandOf = createDemands(view, services)
    const verdicts = await verifyAll(questions.map(question => ({ token: question.token, demand: demandOf(question) })))
    return verdicts.map((verdict): Introspected => {
      if (verdict.ok) return { isActive: true, description: describe(verdict.token) }
      const { reason, token, cause } = verdict
      const isVisible = token !== undefined && visibleIn(view).isMetBy(token.key.scopes)
      const isScopeMissing = reason === 'insufficient_scope' && isVisible
      return { isActive: false, reason, isScopeMissing, cause, ...(token === undefined ? {} : { token }) }
    })
  }
}

type IntrospectionDemand = KeyDemand<'unknown_scope'>

/** Creates a function that returns the demands of questions. Most questions of a batch require the same scopes. */
const createDemands = (view: View, services: Services): ((question: Question) => IntrospectionDemand) => {
  const known = new Map<string, Pick<IntrospectionDemand, 'scopes' | 'refusal'>>()
  return ({ scopes, address }) => {
    const name = scopes.join(' ')
    const demand = known.get(name) ?? requirementsOf([...new Set(scopes)], view, services)
    known.set(name, demand)
    return { scopes: demand.scopes, refusal: demand.refusal, address }
  }
}

const requirementsOf = (
  required: readonly string[],
  view: View,
  services: Services
): Pick<IntrospectionDemand, 'scopes' | 'refusal'> => ({
  scopes: required.length === 0 ? visibleIn(view) : requiring(required),
  refusal: required.every(scope => isServiceScope(services, scope)) ? undefined : 'unknown_scope'
})
