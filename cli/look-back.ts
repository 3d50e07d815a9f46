import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import { DAYS_KEPT } from '../domain/keys/usage/recorder.ts'
import type { UsageCount } from '../domain/keys/rows.ts'
import { command, DONE, jsonOption } from './command.ts'
import type { Command } from './command.ts'
import { UsageError } from './failures.ts'
import { KEY_ARGUMENT, keyOf, readKeys } from './keys.ts'
import type { Terminal } from './terminal.ts'

const DEFAULT_DAYS = '30'

interface Definition {
  description: string
  /** What --json prints. */
  json: string
  /** Prints what follows from the recorded use of a key. Throws a CommandError where nothing does. */
  tell: (terminal: Terminal, key: ClientKeyRecord, usage: UsageCount[], asJson: boolean) => void
}

/** Makes a command that looks at how a key was used in the last days. */
export const lookBack = ({ description, json: jsonHelp, tell }: Definition): Command =>
  command({
    description,

    options: {
      days: {
        value: '<n>',
        help: `look back this many days, today included: ${DEFAULT_DAYS} by default, ${DAYS_KEPT} at most`
      },
      ...jsonOption(jsonHelp)
    },
    argument: KEY_ARGUMENT,

    run: async ({ days = DEFAULT_DAYS, json: asJson = false }, terminal, argument) => {
      const count = toDays(days)
      return await readKeys(terminal, async keys => {
        const key = await keyOf(terminal, keys, argument)
        tell(terminal, key, await keys.usage(key.id, count), asJson)
        return DONE
      })
    }
  })

/** Reads a number of days for which counts are kept. Throws a UsageError. */
const toDays = (days: string): number => {
  if (!/^[1-9]\d?$/.test(days) || Number(days) > DAYS_KEPT) {
    throw new UsageError(`--days must be a number from 1 to ${DAYS_KEPT}.`)
  }
  return Number(days)
}
