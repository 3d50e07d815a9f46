import type { Environment } from '../config/read.ts'
import { UsageError } from './failures.ts'
import type { OptionSpec, OptionSpecs } from './options.ts'

// What a value in the configuration of npm itself looks like, where npm has an option of that name too.
const NPMS_OWN: Readonly<Record<string, RegExp>> = {
  scope: /^(@.*)?$/,
  email: /^(?!true$)/,
  description: /^$/
}

/** The npm script of a command: `key:issue` of `key issue`. */
const scriptOf = (command: string): string => command.replace(' ', ':')

/** Whether npm runs a command as the script of its name. */
export const isScript = (command: string, env: Environment): boolean =>
  command !== '' && env['npm_lifecycle_event'] === scriptOf(command)

/** What to type to run a command, through npm or not. */
export const invocation = (throughNpm: boolean, command: string, args = ''): string => {
  if (!throughNpm) return ['trivial', command, args].filter(part => part !== '').join(' ')
  return `npm run ${scriptOf(command)}${args === '' ? '' : ` -- ${args}`}`
}

/** What to say where there are too many arguments: npm drops options and keeps their values. */
export const hintOfSeparator = (command: string, env: Environment): string | undefined =>
  isScript(command, env)
    ? `Options come after a -- of their own, or npm keeps them: ${invocation(true, command, '…')}`
    : undefined

/**
 * Throws a UsageError where npm kept options that were meant for the command, as it does where no `--` is before them:
 * it has them in variables named npm_config_…, which its configuration files fill as well. `--expires` leaves no trace.
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
    `npm kept ${names} for itself. Put a -- before the options: ${invocation(true, command, wanted)}
(Where an .npmrc sets that, run: node dist/cli/trivial.js ${command})`
  )
}

const isSwallowed = (name: string, spec: OptionSpec, env: Environment): boolean => {
  const value = env[`npm_config_${name}`] ?? env[`npm_config_${name.replaceAll('-', '_')}`]
  if (value === undefined || (value === '' && spec.value === undefined)) return false
  return NPMS_OWN[name]?.test(value) !== true
}
