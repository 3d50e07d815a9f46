import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import { DAYS_KEPT } from '../domain/keys/usage/recorder.ts'
import type { UsageCount } from '../domain/keys/rows.ts'
import { command, DONE, jsonOption } from './command.ts'
import type { Command } from './command.ts'
import { KEY_ARGUMENT, keyOf, readKeys } from './keys.ts'
import { toNumber } from './option-values.ts'
import type { Terminal } from './terminal.ts'

const DEFAULT_DAYS = '30'

/** The option that specifies how far a report reaches back. */
export const daysOption = {
  days: {
    value: '<n>',
    help: `the number of days, including today: ${DEFAULT_DAYS} by default, at most ${DAYS_KEPT}`
  }
} as const

/** Returns the number of days that `--days` specifies. Throws a UsageError. */
export const toDays = (days: string = DEFAULT_DAYS): number => toNumber('days', days, DAYS_KEPT)

interface Definition {
  description: string
  /** The help text for the `--json` option. */
  json: string
  /** Prints a report on a key's recorded use. Throws a CommandError if too little has been recorded. */
  report: (terminal: Terminal, key: ClientKeyRecord, usage: UsageCount[], asJson: boolean) => void
}

/** Creates a command that reports how a key was used in the last `--days` days, including today. */
export const lookBack = ({ description, json: jsonHelp, report }: Definition): Command =>
  command({
    description,

    options: {
      ...daysOption,
      ...jsonOption(jsonHelp)
    },
    argument: KEY_ARGUMENT,

    run: async ({ days, json: asJson = false }, terminal, argument) => {
      const count = toDays(days)
      return await readKeys(terminal, async keys => {
        const key = await keyOf(terminal, keys, argument)
        report(terminal, key, await keys.usage(key.id, count), asJson)
        return DONE
      })
    }
  })
