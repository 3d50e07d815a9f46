import { toSeconds } from '../http/timestamps.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { toChangedJson, toTokenJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption, REFUSED } from './command.ts'
import { credentialsText } from './credentials.ts'
import { UsageError } from './failures.ts'
import { toGeneration } from './key-filter.ts'
import { tokenRows } from './key-rows.ts'
import { KEY_ARGUMENT, keyOf, withKeys, receiptText } from './keys.ts'
import { toPath } from './option-values.ts'
import { rotateGeneration } from './rotate-generation.ts'
import type { Outcome, Rotation } from './rotate-generation.ts'
import type { Terminal } from './terminal.ts'
import { MAX_GRACE_SECONDS } from '../domain/keys/lifecycle/tokens.ts'

const DEFAULT_GRACE = '1d'

/**
 * Returns the generation whose keys should be rotated, or null if a single key should be rotated. Throws a UsageError
 * if the argument and the options are incomplete or contradict each other.
 */
const toMany = (
  argument: string,
  generation: string | undefined,
  out: string | undefined
): { generation: string } | null => {
  if (argument !== '' && generation !== undefined) {
    throw new UsageError('Specify either one key, or a --generation to rotate all of its keys.')
  }
  if (argument === '' && generation === undefined) {
    throw new UsageError(`Specify one key: ${KEY_ARGUMENT.help}. Or specify a --generation.`)
  }
  if ((generation === undefined) !== (out === undefined)) {
    throw new UsageError('--generation and --out must be used together: the new tokens are written to the --out file.')
  }
  return generation === undefined ? null : { generation: toGeneration(generation) }
}

const toGraceSeconds = (grace: string): number => {
  const seconds = toSeconds(grace)
  if (seconds === null || seconds > MAX_GRACE_SECONDS) {
    throw new UsageError('--grace must be a duration of at most 30d, such as 12h, 7d or 0s.')
  }
  return seconds
}

type Rotated = Awaited<ReturnType<KeyService['rotate']>>

const rotatedJson = ({ keyId, keyAccessToken, older, ...changed }: Rotated): object => ({
  ...toChangedJson(changed),
  key_id: keyId,
  key_access_token: keyAccessToken,
  older_tokens: older.map(toTokenJson)
})

const printOne = (terminal: Terminal, { key, keyId, keyAccessToken, older, ...known }: Rotated): void => {
  terminal.print(`${key.name} has a new token, which is active now. ${credentialsText(keyId, keyAccessToken)}

The older tokens, with their expiry and last use:
`)
  terminal.printTable(tokenRows(older))
  terminal.print(`\n${receiptText(known)}`)
}

const outcomeJson = (
  { generation, path }: Rotation,
  { rotated, already, refused, environmentKeys }: Outcome
): object => ({
  generation,
  rotated,
  already_rotated: already,
  refused,
  environment_keys: environmentKeys,
  file: rotated === 0 ? null : path
})

const printMany = (
  terminal: Terminal,
  { path }: Rotation,
  { rotated, already, refused, environmentKeys }: Outcome,
  grace: string
): void => {
  terminal.print(
    rotated === 0
      ? 'No client key was rotated.'
      : `Client keys with a new token, which is active now: ${rotated}. The tokens are stored only in ${path}.
Their older tokens expire when the grace period ends, ${grace} after each rotation.`
  )
  if (already > 0) terminal.print(`Client keys that already have a newer token, and were not changed: ${already}.`)
  if (environmentKeys > 0) {
    const secrets = terminal.invocation('key secrets')
    terminal.print(`Environment keys, which this command does not rotate: ${environmentKeys}. See ${secrets}.`)
  }
  for (const { id, name, reason } of refused) terminal.warn(`${name} (${id}) was not rotated: ${reason}`)
}

export default command({
  description: `Gives a client key a new token, which is active immediately. The key's older tokens expire when the
grace period ends. With --generation, the command does this for each managed key whose newest token belongs to that
generation, so that you can remove the corresponding secret from CLIENT_SECRET_PREVIOUS. It doesn't rotate environment
keys; issue new keys to replace them.`,

  options: {
    generation: {
      value: '<generation>',
      help:
        'rotate all keys of this generation, as printed by `trivial key secrets`; keys with a newer token stay ' +
        'unchanged'
    },
    out: {
      value: '<file>',
      help: `a new file for the new tokens, readable only by its owner. Each token is written to it before the token
becomes active, on a separate line: {"id":…,"name":…,"key_access_token":…}. You can stop the command and run it again
for the remaining keys; the last line may then contain a token that never became active`
    },
    grace: {
      value: '<time>',
      help: `how long the older tokens stay active: ${DEFAULT_GRACE} by default, at most 30d; 0s revokes them
immediately`
    },
    ...jsonOption('print one JSON object with key_id and key_access_token, or with the number of rotated keys')
  },
  argument: { ...KEY_ARGUMENT, optional: true },

  run: async ({ generation, out, grace = DEFAULT_GRACE, json = false }, terminal, argument) => {
    const many = toMany(argument, generation, out)
    const seconds = toGraceSeconds(grace)
    const path = toPath(terminal.cwd, out ?? '')
    return await withKeys(terminal, async (keys, context) => {
      if (many === null) {
        const { id } = await keyOf(terminal, keys, argument)
        const rotated = await keys.rotate(id, { graceSeconds: seconds }, context)
        if (json) terminal.printJson(rotatedJson(rotated))
        else printOne(terminal, rotated)
        await terminal.flush(`Rotate the key again: ${terminal.invocation('key rotate', id)}`)
        return DONE
      }
      const rotation = { generation: many.generation, graceSeconds: seconds, path }
      const outcome = await rotateGeneration(keys, context, rotation, terminal)
      if (json) terminal.printJson(outcomeJson(rotation, outcome))
      else printMany(terminal, rotation, outcome, grace)
      return outcome.refused.length === 0 ? DONE : REFUSED
    })
  }
})
