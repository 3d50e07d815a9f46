import { InvalidFields } from '../../errors.ts'
import { issuesOf } from '../../field-issue.ts'
import type { FieldIssue } from '../../field-issue.ts'

const SEALED = /^tck_/
const KEY_ACCESS_TOKEN = /tck_[0-9A-Za-z]{72}/
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/

/**
 * Returns whether a string has the format of a JSON Web Token, like Trivial's own tokens. The signature isn't checked.
 */
export const looksLikeJwt = (text: string): boolean => JWT.test(text)

/** Returns whether a string looks like a sealed or a legacy token, valid or not. */
export const looksLikeToken = (text: string): boolean => SEALED.test(text) || looksLikeJwt(text)

/** Returns whether a string contains a sealed or legacy token, or a large part of one. */
// The pattern for a JWT begins just before the first dot. Matching from the beginning of the JWT would take quadratic
// time.
export const holdsToken = (text: string): boolean => /tck_\w{20}|[\w-]\.eyJ[\w-]*\.[\w-]/.test(text)

// A longer sequence of hexadecimal digits is something else, such as a commit hash.
const KEY_ID = /(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/i

/**
 * Returns an issue for each of the named strings that contains a credential, because credentials must not be stored.
 */
export const credentialIssues = (texts: Readonly<Record<string, string | null | undefined>>): FieldIssue[] =>
  Object.entries(texts).flatMap(([name, text]) =>
    holdsToken(text ?? '') || KEY_ID.test(text ?? '')
      ? issuesOf(name, [
          `${name} must not contain a token or a key_id (32 hexadecimal digits), because it would be stored`
        ])
      : []
  )

/**
 * Returns an issue for each of the named JSON strings that contains a `key_access_token`. Doesn't check for `key_id`s,
 * because 32 hexadecimal digits in such a string may have any meaning.
 */
export const tokenIssues = (texts: Readonly<Record<string, string | null>>): FieldIssue[] =>
  Object.entries(texts).flatMap(([name, text]) =>
    KEY_ACCESS_TOKEN.test(text ?? '')
      ? issuesOf(name, [`${name} must not contain a key_access_token, because it would be stored`])
      : []
  )

/** Throws InvalidFields if any of the named strings contains a credential, because credentials must not be stored. */
export const refuseCredentials = (texts: Readonly<Record<string, string | null | undefined>>): void => {
  const issues = credentialIssues(texts)
  if (issues.length > 0) throw new InvalidFields({ issues })
}
