import { resolve } from 'node:path'
import { toSeconds } from '../http/instants.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { toChangedJson, toTokenJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption, REFUSED } from './command.ts'
import { credentialsText } from './credentials.ts'
import { UsageError } from './failures.ts'
import { toGeneration } from './key-filter.ts'
import { tokenRows } from './key-rows.ts'
import { KEY_ARGUMENT, keyOf, withKeys, receiptText } from './keys.ts'
import { rotateGeneration } from './rotate-generation.ts'
import type { Outcome, Rotation } from './rotate-generation.ts'
import type { Terminal } from './terminal.ts'
import { MAX_GRACE_SECONDS } from '../domain/keys/lifecycle/tokens.ts'

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
  if (argument === '' && generation === undefined) {
    throw new UsageError(`Name one key: ${KEY_ARGUMENT.help}, or a --generation.`)
  }
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

type Rotated = Awaited<ReturnType<KeyService['rotate']>>

const rotatedJson = ({ keyId, keyAccessToken, older, ...changed }: Rotated): object => ({
  ...toChangedJson(changed),
  key_id: keyId,
  key_access_token: keyAccessToken,
  older_tokens: older.map(toTokenJson)
})

const printOne = (terminal: Terminal, { key, keyId, keyAccessToken, older, ...known }: Rotated): void => {
  terminal.print(`A new token for ${key.name}, which is live now. ${credentialsText(keyId, keyAccessToken)}

The older tokens, until when they are active, and from where they were last used:
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
      : `Client keys with a new token, which is live now: ${rotated}. The tokens are in ${path} and nowhere else.
Their older tokens expire when the grace is over, ${grace} after each was rotated.`
  )
  if (already > 0) terminal.print(`Client keys that have a newer token already, and stay as they are: ${already}.`)
  if (environmentKeys > 0) {
    const secrets = terminal.invocation('key secrets')
    terminal.print(`Environment keys, which this does not rotate: ${environmentKeys}. ${secrets} shows their use.`)
  }
  for (const { id, name, reason } of refused) terminal.warn(`${name} (${id}) was not rotated: ${reason}`)
}

export default command({
  description: `Gives a client key a new token, which is live at once; its older tokens expire when the grace is over.
With --generation, it does so for every managed key whose newest token that secret sealed, so that an entry of
CLIENT_SECRET_PREVIOUS can go. Environment keys are not rotated: issue another one in the place of each.`,

  options: {
    generation: {
      value: '<secret>',
      help: 'all keys of this secret, as key secrets names it; keys that have a newer token stay as they are'
    },
    out: {
      value: '<file>',
      help: `a new file for their tokens, which only its owner may read: a line for each,
{"id":…,"name":…,"key_access_token":…}, which is on the disk before the token is live. The command can be stopped and
run again for the rest; the last line may then hold a token that never went live`
    },
    grace: {
      value: '<time>',
      help: `how long the older tokens stay active: ${DEFAULT_GRACE} by default, 30d at most; 0s: not at all`
    },
    ...jsonOption('one JSON object: with key_id and key_access_token, or how many keys were rotated')
  },
  argument: { ...KEY_ARGUMENT, optional: true },

  run: async ({ generation, out, grace = DEFAULT_GRACE, json = false }, terminal, argument) => {
    const many = toMany(argument, generation, out)
    const seconds = toGraceSeconds(grace)
    return await withKeys(terminal, async (keys, context) => {
      if (many === null) {
        const { id } = await keyOf(terminal, keys, argument)
        const rotated = await keys.rotate(id, { graceSeconds: seconds }, context)
        if (json) terminal.printJson(rotatedJson(rotated))
        else printOne(terminal, rotated)
        await terminal.flush(`Rotate the key once more: ${terminal.invocation('key rotate', id)}`)
        return DONE
      }
      const rotation = { generation: many.generation, graceSeconds: seconds, path: resolve(terminal.cwd, many.out) }
      const outcome = await rotateGeneration(keys, context, rotation, terminal)
      if (json) terminal.printJson(outcomeJson(rotation, outcome))
      else printMany(terminal, rotation, outcome, grace)
      return outcome.refused.length === 0 ? DONE : REFUSED
    })
  }
})
