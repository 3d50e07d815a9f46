import type { ArgumentSpec, OptionSpecs, Values } from './options.ts'
import type { Terminal } from './terminal.ts'

/** What was asked is done. */
export const DONE = 0
/** It was refused, was not found, or the answer is no. */
export const REFUSED = 1
/** What was typed can't be meant. */
export const MISUSED = 2

interface Definition<V> {
  /** What the command is for. */
  description: string
  /** What the help says after the options. */
  notes?: string
  options?: OptionSpecs
  argument?: ArgumentSpec
  /** Answers an exit code, or throws a UserError or a DomainError. */
  run: (values: V, terminal: Terminal, argument: string) => Promise<number>
}

/** A command of the command line. */
export type Command = Definition<Values<OptionSpecs>>

/** Makes a command whose values have the types of its options. */
export const command = <const O extends OptionSpecs>(definition: Definition<Values<O>> & { options?: O }): Command => ({
  ...definition,
  run: async (values, terminal, argument) => await definition.run(values as Values<O>, terminal, argument)
})

/** The option of every command that prints what a script can read. */
export const jsonOption = (help: string) => ({ json: { help } }) as const
