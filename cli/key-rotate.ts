import { resolve } from 'node:path'
import { toSeconds } from '../domain/json/instants.ts'
import { MAX_GRACE_SECONDS } from '../domain/keys/fields.ts'
import type { KeyRegistry } from '../domain/keys/registry.ts'
import { toKeyJson, toTokenJson } from '../domain/keys/representation.ts'
import { command, DONE, REFUSED } from './command.ts'
import { UsageError } from './failures.ts'
import { toGeneration } from './key-filter.ts'
import { tokenRows } from './key-rows.ts'
import { KEY_ARGUMENT, keyOf, withKeys } from './keys.ts'
import { rotateGeneration } from './rotate-generation.ts'
import type { Outcome, Rotation } from './rotate-generation.ts'
import type { Terminal } from './terminal.ts'

const DEFAULT_GRACE = '1d'

/** The generation and the file for many keys; null where it is about one key. Throws a UsageError. */
const toMany = (
  argument: string,
  generation: string | undefined,
  out: string | undefined
): { generation: string; out: string } | null => {
  if (argument !== '' && generation !== undefined) {
    throw new UsageError('Name one key, or a --generation for all of its keys, but not both.')
  }
  if (argument === '' && generation === undefined) throw new UsageError(`Name one ${KEY_ARGUMENT}, or a --generation.`)
  if ((generation === undefined) !== (out === undefined)) {
    throw new UsageError('--generation and --out go together: the new tokens of many keys go to a new file.')
  }
  return generation === undefined || out === undefined ? null : { generation: toGeneration(generation), out }
}

const toGraceSeconds = (grace: string): number => {
  const seconds = toSeconds(grace)
  if (seconds === null || seconds > MAX_GRACE_SECONDS) {
    throw new UsageError('--grace must be a time such as 12h or 7d, 30d at most, or 0s.')
  }
  return seconds
}

type Rotated = Awaited<ReturnType<KeyRegistry['rotate']>>

const rotatedJson = ({ key, keyId, keyAccessToken, older }: Rotated): object => ({
  ...toKeyJson(key),
  key_id: keyId,
  key_access_token: keyAccessToken,
  older_tokens: older.map(toTokenJson)
})

const tellOfOne = (terminal: Terminal, { key, keyId, keyAccessToken, older }: Rotated): void => {
  terminal.print(`A new token for ${key.name}, which is live now. Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}

The older tokens, until when they are good, and from where they were last used:
`)
  terminal.printTable(tokenRows(older))
}

const outcomeJson = ({ generation, path }: Rotation, { rotated, already, refused }: Outcome): object => ({
  generation,
  rotated,
  already_rotated: already,
  refused,
  file: rotated === 0 ? null : path
})

const tellOfMany = (
  terminal: Terminal,
  { path }: Rotation,
  { rotated, already, refused }: Outcome,
  grace: string
): void => {
  terminal.print(
    rotated === 0
      ? 'No client key was rotated.'
      : `Client keys with a new token, which is live now: ${rotated}. The tokens are in ${path} and nowhere else.
Their older tokens die when the grace is over, ${grace} after each was rotated.`
  )
  if (already > 0) terminal.print(`Client keys that have a newer token already, and stay as they are: ${already}.`)
  for (const { id, name, reason } of refused) terminal.warn(`${name} (${id}) was not rotated: ${reason}`)
}

export default command({
  help: `npm run key:rotate -- <key> [--grace <time>] [--json]
npm run key:rotate -- --generation <secret> --out <file> [--grace <time>] [--json]

Gives a client key a new token, which is live at once; its older tokens die when the grace is over. With --generation, it does so for
every key of the database whose newest token that secret sealed, so that an entry of CLIENT_SECRET_PREVIOUS can go.

  <key>                   its id or its name, or - to read a token of it from standard input
  --generation <secret>   all keys of this secret, as key:secrets names it; keys that have a newer token stay as they are
  --out <file>            a new file, such as tokens.txt, for their tokens, which only its owner may read: a line for each,
                          {"id":…,"name":…,"key_access_token":…}, which is on the disk before the token is live. It can be
                          stopped and run again for the rest; the last line may then hold a token that never went live
  --grace <time>          how long the older tokens are still good: ${DEFAULT_GRACE} unless told, 30d at most; 0s: not at all
  --json                  one JSON object: with key_id and key_access_token, or how many keys were rotated
  --help                  this text`,

  options: {
    generation: { type: 'string' },
    out: { type: 'string' },
    grace: { type: 'string' },
    json: { type: 'boolean' }
  },
  argument: KEY_ARGUMENT,
  optional: true,

  run: async ({ generation, out, grace = DEFAULT_GRACE, json = false }, terminal, argument) => {
    const many = toMany(argument, generation, out)
    const seconds = toGraceSeconds(grace)
    return await withKeys(terminal, async (keys, author) => {
      if (many === null) {
        const { id } = await keyOf(terminal, keys, argument)
        const rotated = await keys.rotate(id, seconds, author)
        if (json) terminal.printJson(rotatedJson(rotated))
        else tellOfOne(terminal, rotated)
        return DONE
      }
      const rotation = { generation: many.generation, graceSeconds: seconds, path: resolve(terminal.cwd, many.out) }
      const outcome = await rotateGeneration(keys, author, rotation, terminal)
      if (json) terminal.printJson(outcomeJson(rotation, outcome))
      else tellOfMany(terminal, rotation, outcome, grace)
      return outcome.refused.length === 0 ? DONE : REFUSED
    })
  }
})
