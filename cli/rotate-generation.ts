import type { RequestContext } from '../domain/access/principal.ts'
import type { ClientKeyRecord, TokenRecord } from '../domain/keys/client-key.ts'
import type { KeyService } from '../domain/keys/service.ts'
import type { IssuedClientKey } from '../domain/keys/token/token.ts'
import { isDomainError } from '../domain/domain-error.ts'
import { isUnavailable, SecretNotShared } from '../domain/errors.ts'
import { CommandError, messageOf } from './failures.ts'
import type { Terminal } from './terminal.ts'
import { createTokenFile } from './token-file.ts'
import type { TokenFile } from './token-file.ts'

const PAGE = 100

export interface Rotation {
  generation: string
  graceSeconds: number
  /** Where the new tokens go. */
  path: string
}

/** What became of the keys that have an active token of a generation. */
export interface Outcome {
  rotated: number
  /** Those that have a newer token. */
  already: number
  refused: { id: string; name: string; reason: string }[]
  /** How many environment keys there are, which no command rotates. */
  environmentKeys: number
}

/**
 * Gives a new token to each managed key whose newest active one is of a generation. A new token is on the disk before
 * it is active, so that whatever ends the process loses none: at worst the last line holds one that never became
 * active.
 */
export const rotateGeneration = async (
  keys: KeyService,
  context: RequestContext,
  { generation, graceSeconds, path }: Rotation,
  terminal: Terminal
): Promise<Outcome> => {
  await refuseCurrent(keys, generation)
  const environmentKeys = (await keys.environmentKeys()).length
  const outcome: Outcome = { rotated: 0, already: 0, refused: [], environmentKeys }
  const file = createTokenFile(path)
  const found: ClientKeyRecord[] = []
  try {
    for (let more = true; more;) {
      const page = await keys.list({ revoked: false, generation }, { limit: PAGE, after: found.at(-1)?.id })
      found.push(...page.keys)
      more = page.more
    }
    for (const [index, key] of found.entries()) {
      terminal.progress(`${index} of ${found.length} keys`)
      if (!isNewest(generation, await keys.tokens(key.id))) outcome.already++
      else await rotateInto(file, keys, context, key, graceSeconds, outcome)
    }
  } catch (error) {
    const kept = file.size() === 0 ? '' : `, and their tokens are in ${path}`
    terminal.warn(
      `Stopped: ${outcome.rotated} of ${found.length} keys are rotated${kept}.` +
        ' For the others, run it again with another --out.\n'
    )
    throw error
  } finally {
    file.close()
  }
  return outcome
}

// Rotated under the same secret, a key would be as it was, and be rotated by each further run.
const refuseCurrent = async (keys: KeyService, generation: string): Promise<void> => {
  const secrets = await keys.secrets()
  if (secrets.some(({ use, secret }) => use.generation === generation && secret === 'CLIENT_SECRET')) {
    throw new CommandError(
      'This is the generation of CLIENT_SECRET, which seals the new tokens as well.',
      'Move the secret to CLIENT_SECRET_PREVIOUS and set another first.'
    )
  }
}

/** Whether the newest active token is of a generation: the older ones have been given an end. */
const isNewest = (generation: string, tokens: readonly TokenRecord[]): boolean =>
  tokens.some(token => token.generation === generation && token.revokedAt === null && token.expiresAt === null)

const rotateInto = async (
  file: TokenFile,
  keys: KeyService,
  context: RequestContext,
  { id, name }: ClientKeyRecord,
  graceSeconds: number,
  outcome: Outcome
): Promise<void> => {
  const size = file.size()
  try {
    const keep = ({ keyAccessToken }: IssuedClientKey): void => {
      file.append({ id, name, key_access_token: keyAccessToken })
    }
    await keys.rotate(id, { graceSeconds, keep }, context)
    outcome.rotated++
  } catch (error) {
    if (!isDomainError(error) || isUnavailable(error)) throw error
    file.cut(size)
    // What is wrong is wrong for every key.
    if (error instanceof SecretNotShared) throw error
    outcome.refused.push({ id, name, reason: messageOf(error) })
  }
}
