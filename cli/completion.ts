import type { Command as Commander, Option } from 'commander'

/** The last line of the completions. In Cobra's completion protocol, it disables file name completion. */
const NO_FILES = ':4'

/**
 * Returns the completions of the last word, one per line, each followed by a tab and its description if it has one.
 * `node` is the command or group that the preceding words name, or undefined if they don't name one.
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

/** Returns the known values of the option with the given name, or undefined if no such option takes a value. */
const choicesOf = (options: readonly Option[], name: string | undefined): readonly string[] | undefined => {
  const option = options.find(({ long, required }) => required && long === name)
  return option === undefined ? undefined : (option.argChoices ?? [])
}

const namesIn = ({ commands, registeredArguments }: Commander): string[] => [
  ...commands.map(command => `${command.name()}\t${command.summary()}`),
  ...registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
]
