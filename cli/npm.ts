import type { Environment } from '../config/read.ts'
import { UsageError } from './failures.ts'
import type { OptionSpec, OptionSpecs } from './options.ts'

// npm also has options with these names. Values that match the pattern are meant for npm.
const NPMS_OWN: Readonly<Record<string, RegExp>> = {
  scope: /^(@.*)?$/,
  email: /^(?!true$)/,
  description: /^$/
}

/** Returns the name of the npm script for a command, such as `key:issue` for `key issue`. */
const scriptOf = (command: string): string => command.replace(' ', ':')

/** Returns whether npm is running the script for the command. */
export const isScript = (command: string, env: Environment): boolean =>
  command !== '' && env['npm_lifecycle_event'] === scriptOf(command)

/** Returns the command line that runs a command, either through npm or directly. */
export const invocation = (throughNpm: boolean, command: string, args = ''): string => {
  if (!throughNpm) return ['trivial', command, args].filter(part => part !== '').join(' ')
  return `npm run ${scriptOf(command)}${args === '' ? '' : ` -- ${args}`}`
}

/**
 * Returns a hint about excess arguments if npm runs the command, because npm removes options but keeps their values.
 */
export const hintOfSeparator = (command: string, env: Environment): string | undefined =>
  isScript(command, env)
    ? `Put -- before the options, because npm removes them otherwise: ${invocation(true, command, '…')}`
    : undefined

/**
 * Throws a UsageError if npm has removed any of the command's options because there is no `--` before them. npm passes
 * such options, as well as those in its configuration files, in variables named `npm_config_…`. The option `--expires`
 * can't be detected.
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
