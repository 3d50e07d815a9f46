import { createTokenSealer } from './token.ts'
import type { TokenIssue, TokenSealer } from './token.ts'
import { looksLikeJwt } from './shape.ts'
import type { OpenLegacyToken } from './legacy.ts'
import { lazily } from '../../lazy.ts'

/** The secrets with which tokens are sealed and opened. */
export interface TokenSecrets {
  /** The secret that seals new tokens. It must have at least 32 characters. */
  readonly secret: string
  /** Earlier secrets, whose tokens can still be opened. */
  readonly previousSecrets?: readonly string[] | undefined
  /** Whether to accept Trivial's own HS256 tokens for keys on the allow-list. Defaults to false. */
  readonly acceptLegacyTokens?: boolean | undefined
}

/** The result of opening a token. A legacy token is one of Trivial's own JWTs. */
export type OpenedToken =
  | { readonly ok: true; readonly keyId: string; readonly generation: string; readonly isLegacy: boolean }
  | { readonly ok: false; readonly issue: TokenIssue }

/** Opens sealed and legacy tokens. Never throws, even for malformed tokens. */
export interface TokenOpener {
  readonly sealer: TokenSealer
  /** Returns whether `open` treats a token as a legacy token. Such tokens are opened asynchronously. */
  readonly isLegacy: (token: string) => boolean
  readonly open: (token: string) => OpenedToken | Promise<OpenedToken>
}

const MIN_SECRET_LENGTH = 32

// An untyped JavaScript program may pass an environment variable that isn't set.
const checkSecret = (name: string, secret: unknown): void => {
  if (typeof secret === 'string' && secret.length >= MIN_SECRET_LENGTH) return
  throw new TypeError(`${name} must be a string of at least ${MIN_SECRET_LENGTH} characters`)
}

/** Throws a TypeError if a secret is too short or isn't a string. */
export const checkSecrets = ({ secret, previousSecrets = [] }: TokenSecrets): void => {
  checkSecret('secret', secret)
  for (const previous of previousSecrets) checkSecret('each entry in previousSecrets', previous)
}

/** Creates a token opener. Throws any error of `checkSecrets`. */
export const createTokenOpener = (secrets: TokenSecrets): TokenOpener => {
  checkSecrets(secrets)
  const { secret, previousSecrets = [], acceptLegacyTokens = false } = secrets
  const sealer = createTokenSealer(secret, previousSecrets)
  const isLegacy = (token: string): boolean => acceptLegacyTokens && looksLikeJwt(token)

  const legacyOpener = lazily(async () => await loadLegacyOpener([secret, ...previousSecrets]))
  const openLegacy = async (token: string): Promise<OpenedToken> => {
    const opened = (await legacyOpener())(token)
    return opened === null ? { ok: false, issue: 'forged' } : { ok: true, isLegacy: true, ...opened }
  }

  return {
    sealer,
    isLegacy,
    open: token => {
      if (isLegacy(token)) return openLegacy(token)
      const opened = sealer.open(token)
      return opened.ok ? { ...opened, isLegacy: false } : opened
    }
  }
}

// Imported when the first legacy token is opened, because loading this module takes a tenth of the service's startup
// time.
const loadLegacyOpener = async (secrets: readonly string[]): Promise<OpenLegacyToken> => {
  const { createLegacyTokenOpener } = await import('./legacy.ts')
  return createLegacyTokenOpener(secrets)
}
