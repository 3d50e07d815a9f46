import type { Command as Commander, Option } from 'commander'

/** Ends the proposals, as scripts in the manner of Cobra expect it: names of files are no proposals. */
const NO_FILES = ':4'

/**
 * What may stand in place of the last word of a line: a line each, with a description after a tab where there is one.
 * The words before lead to a command or a group; undefined: to none.
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

/** The known values of an option that takes one; undefined: it is no such option. */
const choicesOf = (options: readonly Option[], name: string | undefined): readonly string[] | undefined => {
  const option = options.find(({ long, required }) => required && long === name)
  return option === undefined ? undefined : (option.argChoices ?? [])
}

const namesIn = ({ commands, registeredArguments }: Commander): string[] => [
  ...commands.map(command => `${command.name()}\t${command.summary()}`),
  ...registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
]
