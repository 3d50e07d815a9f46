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
  /** The path of the file for the new tokens. */
  path: string
}

/** The result of rotating the keys of a generation. */
export interface Outcome {
  rotated: number
  /** The number of keys that already had a newer token. */
  already: number
  refused: { id: string; name: string; reason: string }[]
  /** The number of environment keys, which no command rotates. */
  environmentKeys: number
}

/**
 * Rotates each managed key whose newest active token is of the given generation. Each token is written to disk before
 * it becomes active, so that none is lost if the process is stopped. In that case, the last line of the file may
 * contain a token that never became active.
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
      `Stopped: ${outcome.rotated} of ${found.length} keys were rotated${kept}. To rotate the other keys, run the ` +
        'command again with another --out.\n'
    )
    throw error
  } finally {
    file.close()
  }
  return outcome
}

// New tokens are sealed with CLIENT_SECRET, so they would have the same generation, and each run would rotate all keys
// again.
const refuseCurrent = async (keys: KeyService, generation: string): Promise<void> => {
  const secrets = await keys.secrets()
  if (secrets.some(({ use, secret }) => use.generation === generation && secret === 'CLIENT_SECRET')) {
    throw new CommandError(
      'This is the generation of CLIENT_SECRET, which also seals the new tokens.',
      'First move the secret to CLIENT_SECRET_PREVIOUS, and set a new CLIENT_SECRET.'
    )
  }
}

/** Returns whether the newest active token is of the given generation. Only the newest token has no expiry. */
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
    // The same error would occur for every other key.
    if (error instanceof SecretNotShared) throw error
    outcome.refused.push({ id, name, reason: messageOf(error) })
  }
}
