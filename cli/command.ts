import type { ArgumentSpec, OptionSpecs, Values } from './options.ts'
import type { Terminal } from './terminal.ts'

/** The exit code if a command succeeds. */
export const DONE = 0
/** The exit code if a command is refused, doesn't find what was requested, or has a negative result. */
export const REFUSED = 1
/** The exit code if the options or arguments are invalid. */
export const MISUSED = 2

interface Definition<V> {
  /** What the command does. Shown in the help. */
  description: string
  /** Text to show in the help, after the options. */
  notes?: string
  options?: OptionSpecs
  argument?: ArgumentSpec
  /** Runs the command. Returns an exit code, or throws a UserError or a DomainError. */
  run: (values: V, terminal: Terminal, argument: string) => Promise<number>
}

/** A command of the command-line program. */
export type Command = Definition<Values<OptionSpecs>>

/** Creates a command. The types of its `values` are inferred from its options. */
export const command = <const O extends OptionSpecs>(definition: Definition<Values<O>> & { options?: O }): Command => ({
  ...definition,
  run: async (values, terminal, argument) => await definition.run(values as Values<O>, terminal, argument)
})

/** Creates the `--json` option for commands that can print machine-readable output. */
export const jsonOption = (help: string) => ({ json: { help } }) as const
