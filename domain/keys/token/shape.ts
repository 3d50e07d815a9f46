import { InvalidFields } from '../../errors.ts'
import { issuesOf } from '../../field-issue.ts'
import type { FieldIssue } from '../../field-issue.ts'

const SEALED = /^tck_/
const KEY_ACCESS_TOKEN = /tck_[0-9A-Za-z]{72}/
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/

/**
 * Whether a string has the outer shape of a JSON Web Token, as Trivial's own tokens are. Says nothing of its signature.
 */
export const looksLikeJwt = (text: string): boolean => JWT.test(text)

/** Whether a string was meant as a token of either kind, accepted or not. */
export const looksLikeToken = (text: string): boolean => SEALED.test(text) || looksLikeJwt(text)

/** Whether a token of either kind, or most of one, is somewhere in a text. */
// A JWT is looked for from its first dot on: from its beginning the search would be quadratic.
export const holdsToken = (text: string): boolean => /tck_\w{20}|[\w-]\.eyJ[\w-]*\.[\w-]/.test(text)

// A longer run of digits is something else, such as the hash of a commit.
const KEY_ID = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i

/** What is wrong with texts that are to be stored, by their names, if they hold a credential. */
export const credentialIssues = (texts: Readonly<Record<string, string | null | undefined>>): FieldIssue[] =>
  Object.entries(texts).flatMap(([name, text]) =>
    holdsToken(text ?? '') || KEY_ID.test(text ?? '')
      ? issuesOf(name, [`${name} must not hold a token or a key_id (32 hexadecimal digits): it would be stored`])
      : []
  )

/**
 * What is wrong with JSON texts that hold a `key_access_token`, by their names. A `key_id` is not looked for: 32
 * hexadecimal digits may be anything there.
 */
export const tokenIssues = (texts: Readonly<Record<string, string | null>>): FieldIssue[] =>
  Object.entries(texts).flatMap(([name, text]) =>
    KEY_ACCESS_TOKEN.test(text ?? '')
      ? issuesOf(name, [`${name} must not hold a key_access_token: it would be stored`])
      : []
  )

/** Throws InvalidFields where texts that are to be kept hold what must not be. */
export const refuseCredentials = (texts: Readonly<Record<string, string | null | undefined>>): void => {
  const issues = credentialIssues(texts)
  if (issues.length > 0) throw new InvalidFields({ issues })
}
