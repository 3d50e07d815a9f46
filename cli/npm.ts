import type { Environment } from '../config/read.ts'
import { UsageError } from './failures.ts'
import type { OptionSpec, OptionSpecs } from './options.ts'

// The values that npm's own options of the same name have. They don't come from the command line of this program.
const NPMS_OWN: Readonly<Record<string, RegExp>> = {
  scope: /^(@.*)?$/,
  email: /^(?!true$)/,
  description: /^$/
}

/** Returns the npm script of a command, such as `key:issue` for `key issue`. */
const scriptOf = (command: string): string => command.replace(' ', ':')

/** Returns whether npm runs a command as the script of the same name. */
export const isScript = (command: string, env: Environment): boolean =>
  command !== '' && env['npm_lifecycle_event'] === scriptOf(command)

/** Returns what to type to run a command, either through npm or directly. */
export const invocation = (throughNpm: boolean, command: string, args = ''): string => {
  if (!throughNpm) return ['trivial', command, args].filter(part => part !== '').join(' ')
  return `npm run ${scriptOf(command)}${args === '' ? '' : ` -- ${args}`}`
}

/** Returns a hint for a command with too many arguments: npm removes the options, but passes their values on. */
export const hintOfSeparator = (command: string, env: Environment): string | undefined =>
  isScript(command, env)
    ? `Put -- before the options, because npm removes them otherwise: ${invocation(true, command, '…')}`
    : undefined

/**
 * Throws a UsageError if npm removed options of the command, as it does if no `--` precedes them. npm sets variables
 * named npm_config_… for them, and also for its configuration files. It sets no variable for `--expires`.
 */
export const refuseSwallowed = (
  { command, argument }: { command: string; argument: string },
  options: OptionSpecs,
  given: ReadonlySet<string>,
  env: Environment
): void => {
  if (!isScript(command, env)) return
  const swallowed = Object.entries(options).filter(([name, spec]) => !given.has(name) && isSwallowed(name, spec, env))
  if (swallowed.length === 0) return
  const names = swallowed.map(([name]) => `--${name}`).join(' and ')
  const typed = swallowed.map(([name, { value }]) => `--${name}${value === undefined ? '' : ' …'}`)
  const wanted = [argument, ...typed].filter(part => part !== '').join(' ')
  throw new UsageError(
    `npm removed ${names}. Put -- before the options: ${invocation(true, command, wanted)}
(If an .npmrc sets ${names}, run: node dist/cli/trivial.js ${command})`
  )
}

const isSwallowed = (name: string, spec: OptionSpec, env: Environment): boolean => {
  const value = env[`npm_config_${name}`] ?? env[`npm_config_${name.replaceAll('-', '_')}`]
  if (value === undefined || (value === '' && spec.value === undefined)) return false
  return NPMS_OWN[name]?.test(value) !== true
}
