import type { ArgumentSpec, OptionSpecs, Values } from './options.ts'
import type { Terminal } from './terminal.ts'

/** The exit code of a command that succeeded. */
export const DONE = 0
/** The exit code of a command that was refused, that didn't find what was requested, or whose result is negative. */
export const REFUSED = 1
/** The exit code of a command with invalid options or arguments. */
export const MISUSED = 2

interface Definition<V> {
  /** The purpose of the command, for the help. */
  description: string
  /** The text that the help shows after the options. */
  notes?: string
  options?: OptionSpecs
  argument?: ArgumentSpec
  /** Runs the command. Returns an exit code, or throws a UserError or a DomainError. */
  run: (values: V, terminal: Terminal, argument: string) => Promise<number>
}

/** A command of the command-line program. */
export type Command = Definition<Values<OptionSpecs>>

/** Creates a command whose values have the types of its options. */
export const command = <const O extends OptionSpecs>(definition: Definition<Values<O>> & { options?: O }): Command => ({
  ...definition,
  run: async (values, terminal, argument) => await definition.run(values as Values<O>, terminal, argument)
})

/** Creates the `--json` option for commands that can print machine-readable output. */
export const jsonOption = (help: string) => ({ json: { help } }) as const
