import type { ClientKeyRecord, KnownToken, TokenRecord } from '../client-key.ts'
import type { TokenOpener } from '../token/opener.ts'
import { claimedGeneration } from '../token/token.ts'
import { requiring } from './scope-rule.ts'
import { ANY_ADDRESS } from './verifier.ts'
import type { RefusalReason, Verifier } from './verifier.ts'

/** The properties of a token, without the token itself. */
export interface Inspection {
  /** Whether the token's format and checksum are valid. */
  readonly wellFormed: boolean
  /** The generation in the token, which isn't verified. */
  readonly generation: string | null
  /** Which configured secret has that generation, or null if none does. */
  readonly secret: 'current' | 'previous' | null
  readonly allowed: boolean
  /** The reason why the token isn't allowed, or null if it is. */
  readonly reason: RefusalReason | null
  /** The token's key, even if the token isn't allowed. */
  readonly key: ClientKeyRecord | null
  /** The token's stored record. For an environment key, the record is based on the token's uses. */
  readonly token: TokenRecord | null
}

/**
 * The requirements to check the token against. Without `address`, the token is checked as if its address were allowed.
 */
export interface InspectedDemand {
  readonly scopes?: readonly string[] | undefined
  readonly address?: string | undefined
}

/** Inspects a token and checks whether it meets the requirements. Records nothing. */
export type Inspect = (token: string, demand?: InspectedDemand) => Promise<Inspection>

export interface InspectorOptions {
  readonly opener: TokenOpener
  /** The generations of the configured secrets, the current one first. */
  readonly generations: readonly string[]
  readonly check: Verifier['check']
  readonly find: (id: string) => Promise<ClientKeyRecord>
  readonly findRecord: (token: KnownToken) => Promise<TokenRecord>
}

export const createInspector = ({ opener, generations, check, find, findRecord }: InspectorOptions): Inspect => {
  const shapeOf = async (token: string): Promise<Pick<Inspection, 'wellFormed' | 'generation' | 'secret'>> => {
    const opened = await opener.open(token)
    const generation = opened.ok ? opened.generation : claimedGeneration(token)
    const position = generation === null ? -1 : generations.indexOf(generation)
    return {
      wellFormed: generation !== null || opener.isLegacy(token),
      generation,
      secret: position < 0 ? null : position === 0 ? 'current' : 'previous'
    }
  }

  return async (token, { scopes = [], address = ANY_ADDRESS } = {}) => {
    const shape = await shapeOf(token)
    const verdict = await check(token, { scopes: requiring(scopes), address })
    const { token: known } = verdict
    return {
      ...shape,
      allowed: verdict.ok,
      reason: verdict.ok ? null : verdict.reason,
      ...(known === undefined
        ? { key: null, token: null }
        : { key: await find(known.key.id), token: await findRecord(known) })
    }
  }
}
