import { InvalidFields } from '../../errors.ts'
import { UNSCOPED } from './scopes.ts'

/** A scope-token of RFC 6749, which is repeated in `WWW-Authenticate`. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/

/** What stands for something else than a scope, in a key or in a route. */
const RESERVED: readonly string[] = [UNSCOPED, 'none']

/** Throws InvalidFields where one of the scopes of a key is none that there is. */
export type CheckScopes = (scopes: readonly string[]) => void

/** Makes the check of scopes. Throws a TypeError where one of the known ones can not be a scope. */
export const createScopeCheck = (known: readonly string[]): CheckScopes => {
  for (const scope of known) {
    if (RESERVED.includes(scope) || !SCOPE.test(scope)) {
      throw new TypeError(
        'a scope must be 1 to 100 visible characters of ASCII without quotes and backslashes, and neither * nor none'
      )
    }
  }
  const allowed = [UNSCOPED, ...known]
  return scopes => {
    const issues = scopes.flatMap((scope, index) =>
      allowed.includes(scope) ? [] : [`scopes.${index} must be ${allowed.join(' or ')}`]
    )
    if (issues.length > 0) throw new InvalidFields({ errors: issues })
  }
}
