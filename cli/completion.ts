import type { Command as Commander, Option } from 'commander'

/** The last line of the output. In Cobra's completion protocol, it disables file name completion. */
const NO_FILES = ':4'

/**
 * Returns the completions for the last word, one per line. If a completion has a description, it follows on the same
 * line, after a tab. `node` is the command or group named by the preceding words, or undefined if there is none.
 */
export const completionsOf = (node: Commander | undefined, words: readonly string[]): string => {
  const found = node === undefined ? [] : proposals(node, words.at(-2), words.at(-1) ?? '')
  return [...found, NO_FILES].join('\n')
}

const proposals = (node: Commander, before: string | undefined, word: string): string[] => {
  const options = node.createHelp().visibleOptions(node)
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? []
  if (value !== undefined) return beginningWith(value, choicesOf(options, name) ?? [])
  if (word.startsWith('-')) {
    const long = options.map(option => `--${option.name()}\t${option.description}`)
    return beginningWith(word, long)
  }
  return beginningWith(word, choicesOf(options, before) ?? namesIn(node))
}

const beginningWith = (typed: string, proposals: readonly string[]): string[] =>
  proposals.filter(proposal => proposal.startsWith(typed))

/** Returns the known values of an option, or undefined if there is no such option or it takes no value. */
const choicesOf = (options: readonly Option[], name: string | undefined): readonly string[] | undefined => {
  const option = options.find(({ long, required }) => required && long === name)
  return option === undefined ? undefined : (option.argChoices ?? [])
}

const namesIn = ({ commands, registeredArguments }: Commander): string[] => [
  ...commands.map(command => `${command.name()}\t${command.summary()}`),
  ...registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
]
