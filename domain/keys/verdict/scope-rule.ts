import { scopesCovering } from '../policy/scopes.ts'

/** A rule that decides which scopes are sufficient. */
export interface ScopeRule {
  readonly isMetBy: (scopes: readonly string[]) => boolean
  /** Returns the scopes that a key which meets the rule uses. They are recorded with its use. */
  readonly used: (scopes: readonly string[]) => readonly string[]
}

/** Returns the rule that requires all given scopes, whether they belong to this API or to services. */
export const requiring = (required: readonly string[]): ScopeRule => ({
  isMetBy: scopes => required.every(scope => scopesCovering(scope).some(covering => scopes.includes(covering))),
  used: () => required
})
