import { createTokenSealer } from './token.ts'
import type { TokenIssue, TokenSealer } from './token.ts'
import { looksLikeJwt } from './shape.ts'
import type { OpenLegacyToken } from './legacy.ts'
import { lazily } from '../../lazy.ts'

/** What opens tokens. */
export interface TokenSecrets {
  /** The secret that seals tokens, 32 characters at least. */
  readonly secret: string
  /** Earlier secrets, whose tokens still open. */
  readonly previousSecrets?: readonly string[] | undefined
  /** Whether Trivial's own HS256 tokens are accepted for keys on the allow-list; false by default. */
  readonly acceptLegacyTokens?: boolean | undefined
}

/** A token that opened: a legacy one is a JWT of Trivial's own. */
export type OpenedToken =
  | { readonly ok: true; readonly keyId: string; readonly generation: string; readonly isLegacy: boolean }
  | { readonly ok: false; readonly issue: TokenIssue }

/** Opens tokens of both kinds. Never throws, whatever the string contains. */
export interface TokenOpener {
  readonly sealer: TokenSealer
  /** Whether a token would be opened as a legacy one, which `open` doesn't do at once. */
  readonly isLegacy: (token: string) => boolean
  readonly open: (token: string) => OpenedToken | Promise<OpenedToken>
}

const MIN_SECRET_LENGTH = 32

// A program without types may pass a variable of the environment that is missing.
const checkSecret = (name: string, secret: unknown): void => {
  if (typeof secret === 'string' && secret.length >= MIN_SECRET_LENGTH) return
  throw new TypeError(`${name} must be text of ${MIN_SECRET_LENGTH} characters at least`)
}

/** Throws a TypeError if a secret is too short. */
export const checkSecrets = ({ secret, previousSecrets = [] }: TokenSecrets): void => {
  checkSecret('secret', secret)
  for (const previous of previousSecrets) checkSecret('each of previousSecrets', previous)
}

/** Creates an opener. Throws what `checkSecrets` throws. */
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

// Loaded with the first token of this kind: loading it takes a tenth of the time that the service takes to start.
const loadLegacyOpener = async (secrets: readonly string[]): Promise<OpenLegacyToken> => {
  const { createLegacyTokenOpener } = await import('./legacy.ts')
  return createLegacyTokenOpener(secrets)
}
