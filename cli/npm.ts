import type { Environment } from '../config/read.ts'
import { UsageError } from './failures.ts'

interface Option {
  readonly type: 'boolean' | 'string'
}

// What a value in the configuration of npm itself looks like, where npm has an option of that name too.
const NPMS_OWN: Readonly<Record<string, RegExp>> = {
  scope: /^(@.*)?$/,
  email: /^(?!true$)/,
  description: /^$/
}

/** Whether npm runs the command as the script of its name. */
export const isScript = (name: string, env: Environment): boolean => env['npm_lifecycle_event'] === name

/** What to say where arguments came that are not understood: npm drops options and keeps their values. */
export const hintOfSeparator = (name: string, env: Environment): string =>
  isScript(name, env) ? ` Options come after a -- of their own, or npm keeps them: npm run ${name} -- …` : ''

/**
 * Throws a UsageError where npm kept options that were meant for the command, as it does where no `--` is before them:
 * it has them in variables named npm_config_…, which its configuration files fill as well. `--expires` leaves no trace.
 */
export const refuseSwallowed = (
  { name, argument }: { name: string; argument: string },
  options: Readonly<Record<string, Option>>,
  given: ReadonlySet<string>,
  env: Environment
): void => {
  if (!isScript(name, env)) return
  const swallowed = Object.entries(options).filter(
    ([option, { type }]) => !given.has(option) && isSwallowed(option, type, env)
  )
  if (swallowed.length === 0) return
  const typed = swallowed.map(([option, { type }]) => `--${option}${type === 'string' ? ' …' : ''}`)
  throw new UsageError(
    `npm kept ${swallowed.map(([option]) => `--${option}`).join(' and ')} for itself. Put a -- before the options: npm run ${name} -- ${argument}${typed.join(' ')}
(Where an .npmrc sets that, run: node build/launch.js cli/trivial.ts ${name})`
  )
}

const isSwallowed = (option: string, type: Option['type'], env: Environment): boolean => {
  const value = env[`npm_config_${option}`] ?? env[`npm_config_${option.replaceAll('-', '_')}`]
  if (value === undefined || (value === '' && type === 'boolean')) return false
  return NPMS_OWN[option]?.test(value) !== true
}
