import { RootCommand } from '@bomb.sh/tab'
import type { Command as Tab } from '@bomb.sh/tab'
import type { Command as Commander } from 'commander'

/** Answers a request of a completion script: what may stand in place of the last word, a line each. */
export const completionsOf = (program: Commander, words: readonly string[]): string => {
  const root = new RootCommand()
  declareOptions(root, program)
  declareCommands(root, program, [])
  return printed(() => {
    root.parse([...words])
  })
}

const declareCommands = (root: RootCommand, node: Commander, path: readonly string[]): void => {
  for (const child of node.commands) {
    const names = [...path, child.name()]
    declareOptions(root.command(names.join(' '), child.summary()), child)
    declareCommands(root, child, names)
  }
}

const declareOptions = (tab: Tab, node: Commander): void => {
  for (const option of node.createHelp().visibleOptions(node)) {
    const { description, required, argChoices } = option
    if (required) tab.option(option.name(), description, propose(argChoices))
    else tab.option(option.name(), description)
  }
  for (const argument of node.registeredArguments) tab.argument(argument.name(), propose(argument.argChoices))
}

const propose =
  (choices: readonly string[] = []) =>
  (complete: (value: string, description: string) => void): void => {
    for (const choice of choices) complete(choice, '')
  }

/** What a function of tab prints: it has no other way to answer. */
export const printed = (print: () => void): string => {
  const lines: unknown[] = []
  const { log } = console
  console.log = line => {
    lines.push(line)
  }
  try {
    print()
  } finally {
    console.log = log
  }
  return lines.join('\n')
}
