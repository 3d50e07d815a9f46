import { Command as Commander } from 'commander'
import type { Option, ParseOptionsResult } from 'commander'
import { UsageError } from './failures.ts'
import type { OptionSpecs, Values } from './options.ts'

/**
 * A Commander command that throws a UsageError for invalid arguments. Commander's own messages repeat the arguments,
 * which may contain a secret.
 */
export class StrictCommand extends Commander {
  override createCommand(name?: string): StrictCommand {
    return new StrictCommand(name)
  }

  override parseOptions(args: string[]): ParseOptionsResult {
    checkValues(this.options, args)
    return super.parseOptions(args)
  }

  // Commander only calls this for unknown options. parseOptions and the program detect all other errors.
  override error(): never {
    const typed = String(this.args.find(isOption))
    const known = this.createHelp().visibleOptions(this)
    throw new UsageError(
      unknownOption(
        typed,
        known.map(option => option.name())
      )
    )
  }
}

/** Returns whether a word is an option. A single `-` isn't an option; it means standard input. */
export const isOption = (word: string): boolean => /^-./.test(word)

const checkValues = (options: readonly Option[], args: readonly string[]): void => {
  const end = args.indexOf('--')
  const given = new Set<Option>()
  for (const [index, word] of (end === -1 ? args : args.slice(0, end)).entries()) {
    const [name] = word.split('=', 1)
    const option = options.find(({ long }) => long === name)
    if (option === undefined) continue
    // Otherwise, the last value would silently replace the others. Options that collect their values have a parser.
    if (given.has(option) && option.required && option.parseArg === undefined) {
      throw new UsageError(`${name} was given more than once.`)
    }
    given.add(option)
    if (!option.required) {
      if (word !== name) throw new UsageError(`${name} takes no value.`)
      continue
    }
    const value = word === name ? args[index + 1] : word
    if (value === undefined) throw new UsageError(`${name} needs a value.`)
    if (word === name && isOption(value)) {
      throw new UsageError(`${name} needs a value. Write a value that begins with - as ${name}=-…`)
    }
  }
}

// The message only repeats what looks like an option name, because anything else may be a misplaced secret.
const unknownOption = (typed: string, names: readonly string[]): string => {
  const [name = ''] = typed.split('=', 1)
  if (!/^--?[a-z][a-z-]*$/.test(name)) return 'There is no such option.'
  const word = name.replace(/^-+/, '')
  const likely = nearest(word, names) ?? names.find(known => isBeginning(word, known) || isBeginning(known, word))
  return `There is no option ${name}${likely === undefined ? '.' : `; did you mean --${likely}?`}`
}

const MIN_BEGINNING = 3

const isBeginning = (beginning: string, word: string): boolean =>
  beginning.length >= MIN_BEGINNING && word.startsWith(beginning)

/** Throws a UsageError if an option's value isn't one of its choices. */
export const checkChoices = (specs: OptionSpecs, values: Values<OptionSpecs>): void => {
  for (const [name, { choices, accepts = [], acceptsOther }] of Object.entries(specs)) {
    if (choices === undefined) continue
    const good = [...accepts, ...choices]
    const isGood = (text: string): boolean => good.includes(text) || acceptsOther?.(text) === true
    const wrong = [values[name] ?? []].flat().find(text => !isGood(String(text)))
    if (wrong === undefined) continue
    const likely = nearest(String(wrong), good)
    throw new UsageError(
      `--${name} must be ${good.join(' or ')}${likely === undefined ? '.' : `; did you mean ${likely}?`}`
    )
  }
}

/** Returns the message for an unknown command. `typed` is its full name, such as `key isue`. */
export const unknownCommand = (typed: string, known: readonly string[]): string => {
  if (!/^[a-z][a-z:-]*( [a-z][a-z:-]*)?$/.test(typed)) return 'There is no such command.'
  const likely = nearest(typed, known)
  const meant = likely === undefined ? known.filter(name => name.endsWith(` ${typed}`)) : [likely]
  return `There is no command ${typed}${meant.length === 0 ? '.' : `; did you mean ${meant.join(' or ')}?`}`
}

/**
 * Returns the edit distance between two words. One edit inserts, deletes or replaces a letter, or swaps two adjacent
 * letters. No letter is edited twice (optimal string alignment).
 */
const distance = (from: string, to: string): number => {
  const [a, b] = [Array.from(from), Array.from(to)]
  let before: number[] = []
  let row = [0, ...b.map((_, column) => column + 1)]
  for (const [line, letter] of a.entries()) {
    const next = [line + 1]
    for (const [column, other] of b.entries()) {
      const replaced = Number(row[column]) + (letter === other ? 0 : 1)
      const isExchanged = letter === b[column - 1] && other === a[line - 1]
      const exchanged = isExchanged ? Number(before[column - 1]) + 1 : Infinity
      next.push(Math.min(replaced, exchanged, Number(next[column]) + 1, Number(row[column + 1]) + 1))
    }
    before = row
    row = next
  }
  return Number(row.at(-1))
}

// The limit for long words. Without it, a third of their letters could differ, and unrelated words would match.
const MAX_DISTANCE = 3

/** Returns the known word that a mistyped word probably means, or undefined if none is similar enough. */
export const nearest = (typed: string, words: readonly string[]): string | undefined => {
  const [best] = words
    .map(word => ({ word, away: distance(typed, word) }))
    .filter(({ away }) => away <= Math.min(MAX_DISTANCE, (typed.length + 1) / 3))
    .sort((a, b) => a.away - b.away)
  return best?.word
}
