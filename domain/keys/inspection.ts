import { inactiveReason } from './client-key.ts'
import type { ClientKeyRecord, InactiveReason } from './client-key.ts'
import type { EnvironmentKeys } from './environment-keys.ts'
import type { OpenLegacyToken } from './legacy-token.ts'
import type { KeyReads } from './rows.ts'
import { looksLikeJwt } from './token-shape.ts'
import { claimedGeneration, digestOf } from './token.ts'
import type { OpenedToken, TokenIssue, TokenSealer } from './token.ts'

/** What there is to know of a token, without the token. */
export interface Inspection {
  /** Whether it has the shape of a token and its checksum. */
  readonly wellFormed: boolean
  /** Which secret it says that it was sealed with. */
  readonly generation: string | null
  /** Which of the configured secrets that is. */
  readonly secret: 'current' | 'previous' | null
  readonly allowed: boolean
  /** Why it is not allowed. */
  readonly reason: TokenIssue | 'not_allowed' | InactiveReason | null
  /** The key that it stands for, allowed or not. */
  readonly key: ClientKeyRecord | null
}

export interface InspectorOptions {
  readonly sealer: TokenSealer
  /** The generations of the configured secrets, the current one first. */
  readonly generations: readonly string[]
  readonly openLegacyToken: OpenLegacyToken | undefined
  readonly environmentKeys: EnvironmentKeys
  readonly read: <T>(work: (keys: KeyReads) => Promise<T>) => Promise<T>
  readonly find: (id: string) => Promise<ClientKeyRecord>
}

const openedLegacy = (opened: ReturnType<OpenLegacyToken>): OpenedToken =>
  opened === null ? { ok: false, issue: 'forged' } : { ok: true, ...opened }

/** Makes the function that tells what there is to know of a token. */
export const createInspector = (options: InspectorOptions): ((token: string) => Promise<Inspection>) => {
  const { sealer, generations, openLegacyToken, environmentKeys, read, find } = options

  const judge = async (digest: string, isLegacy: boolean): Promise<Pick<Inspection, 'reason' | 'key'>> => {
    const known = await read(async keys => await keys.findToken(digest))
    if (known !== null) {
      return { reason: isLegacy ? 'not_allowed' : inactiveReason(known, Date.now()), key: await find(known.key.id) }
    }
    const fixed = environmentKeys.findByDigest(digest)
    if (fixed === null) return { reason: 'not_allowed', key: null }
    const key = await find(fixed.key.id)
    return { reason: key.revokedAt === null ? null : 'key_revoked', key }
  }

  return async token => {
    const isLegacy = openLegacyToken !== undefined && looksLikeJwt(token)
    const opened = isLegacy ? openedLegacy(openLegacyToken(token)) : sealer.open(token)
    const generation = opened.ok ? opened.generation : claimedGeneration(token)
    const position = generation === null ? -1 : generations.indexOf(generation)
    const shape = {
      wellFormed: isLegacy || generation !== null,
      generation,
      secret: position < 0 ? null : position === 0 ? 'current' : 'previous'
    } as const
    if (!opened.ok) return { ...shape, allowed: false, reason: opened.issue, key: null }
    const { reason, key } = await judge(digestOf(opened.keyId), isLegacy)
    return { ...shape, allowed: reason === null, reason, key }
  }
}
