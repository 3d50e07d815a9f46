import { parseEnv } from 'node:util'
import { Ajv } from 'ajv'
import type { ErrorObject } from 'ajv'
import type { DataValidationCxt } from 'ajv/dist/types/index.js'
import { REPLACEMENT } from '../net/utf8.ts'
import { UserError } from './user-error.ts'
import { cutNames, dotenvText, repeatedNames } from './dotenv.ts'
import { platformIssue } from './platforms.ts'
import { Config, SECRETS } from './schema.ts'
import type { Check, ListRule } from './schema.ts'

/** The environment variables of a process, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Thrown if the configuration is invalid. The message lists every invalid variable, what is wrong with it and how to
 * fix it.
 */
export class ConfigError extends UserError {
  override readonly name = 'ConfigError'
}

/** Creates an Ajv validation function from a function that returns what is wrong with a value. */
const keywordFunction = <Value>(issueOf: (value: Value, place?: DataValidationCxt) => string | null) => {
  const validate = (value: Value, place?: DataValidationCxt): boolean => {
    const message = issueOf(value, place)
    validate.errors = message === null ? [] : [{ keyword: 'check', message }]
    return message === null
  }
  validate.errors = [] as Partial<ErrorObject>[]
  return validate
}

type Properties = Readonly<Record<string, { readonly type: string | readonly string[]; readonly hint?: string }>>

const DIGITS = /^\s*(?:0|[1-9]\d*)?\s*$/

/** Returns what is wrong with a variable's value before it's converted, or null if the value is fine. */
const textIssue = (name: string, text: string, { type, hint }: Properties[string]): string | null => {
  const issue = platformIssue(name, text)
  // Ajv would also convert 0x10, +1 and 3e3 to numbers.
  return issue ?? (hint === undefined || ![type].flat().includes('integer') || DIGITS.test(text) ? null : hint)
}

/** Creates an Ajv validation function that checks the values of all variables before they are converted. */
const textCheck = (properties: Properties) => {
  const validate = (variables: Environment): boolean => {
    validate.errors = Object.entries(properties).flatMap(([name, schema]) => {
      const message = textIssue(name, variables[name] ?? '', schema)
      return message === null ? [] : [{ keyword: 'check', instancePath: `/${name}`, message }]
    })
    return validate.errors.length === 0
  }
  validate.errors = [] as Partial<ErrorObject>[]
  return validate
}

/** Validates variables. The service and the commands share this instance, so that both find the same issues. */
export const configAjv = new Ajv({
  allErrors: true,
  coerceTypes: true,
  // With strict numbers, Ajv converts 1e999 to Infinity and doesn't compare it with the maximum.
  strictNumbers: false,
  useDefaults: true,
  removeAdditional: true,
  meta: false,
  validateSchema: false,
  // Optimizing the generated code would take a quarter of the validation time, but the code runs only once.
  code: { optimize: false },
  keywords: [
    'hint',
    {
      keyword: 'check',
      type: 'string',
      errors: true,
      compile: (check: Check) => keywordFunction(check)
    },
    {
      // Runs before `properties`, which replaces strings with numbers and lists.
      keyword: 'texts',
      before: 'properties',
      type: 'object',
      errors: true,
      compile: (_, { properties }) => textCheck(properties as Properties)
    },
    {
      // Replaces a string with its normalized form.
      keyword: 'normalize',
      type: 'string',
      modifying: true,
      compile: (normalize: (text: string) => string) => (text: string, place?: DataValidationCxt) => {
        if (place !== undefined) Object.assign(place.parentData, { [place.parentDataProperty]: normalize(text) })
        return true
      }
    },
    {
      // Replaces a comma-separated string with a list.
      keyword: 'entries',
      type: 'string',
      modifying: true,
      errors: true,
      compile: ({ check, none }: ListRule) =>
        keywordFunction((list: string, place) => {
          const named = list
            .split(',')
            .map(entry => entry.trim())
            .filter(entry => entry !== '')
          const entries = named.join() === none ? [] : named
          if (place !== undefined) Object.assign(place.parentData, { [place.parentDataProperty]: entries })
          return check(entries)
        })
    }
  ]
})

/**
 * Reads `.env` in the working directory, if it exists, and merges it with the process environment, which takes
 * precedence. A blank value counts as unset, so `PORT=` means the default. Throws a UserError if a value can't be read.
 */
export const environment = (dotenv = '.env', env: Environment = process.env): Environment => {
  const variables = { ...readDotenv(dotenv), ...env }
  refuseMangled(variables)
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value?.trim() !== ''))
}

/**
 * Reads and validates the named variables, or all variables by default. Throws a ConfigError if any of them is invalid.
 */
export const readConfig = <Name extends keyof Config = keyof Config>(
  env: Environment,
  names?: Name[]
): Pick<Config, Name> => {
  const validate = configAjv.compile<Pick<Config, Name>>({ ...Config, ...(names === undefined ? {} : only(names)) })
  const config = { ...env }
  if (!validate(config)) throw configError(validate.errors as ErrorObject[])
  return config
}

/** Converts a validation error from `@fastify/env` to a ConfigError. Returns any other error unchanged. */
export const asConfigError = (error: unknown): unknown => {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) return error
  return configError(error.errors as ErrorObject[])
}

const configError = (errors: ErrorObject[]): ConfigError => {
  const issues = new Map<string, string>()
  for (const error of errors) {
    const name = variableOf(error)
    // Only a variable's first issue is reported, because it explains the others: a quoted value isn't a number either.
    if (!issues.has(name)) issues.set(name, issueOf(error))
  }
  const lines = Object.keys(Config.properties).flatMap(name => {
    const issue = issues.get(name)
    return issue === undefined ? [] : [`  ${name} ${issue}`]
  })
  return new ConfigError(
    `The configuration can't be used. Fix these variables in the environment or in .env:\n${lines.join('\n')}`
  )
}

const only = (names: readonly (keyof Config)[]): object => ({
  required: names,
  properties: Object.fromEntries(names.map(name => [name, Config.properties[name]]))
})

const readDotenv = (path: string): Environment => {
  try {
    const text = dotenvText(path)
    refuseRepeated(path, text)
    refuseCut(path, text)
    return parseEnv(text)
  } catch (error) {
    if (error instanceof UserError) throw error
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw new ConfigError(`${path} can't be read: ${(error as Error).message}`)
  }
}

// Node replaces bytes that aren't UTF-8 with U+FFFD, so two different secrets could become identical.
const refuseMangled = (variables: Environment): void => {
  const names = Object.keys(Config.properties).filter(name => variables[name]?.includes(REPLACEMENT))
  if (names.length === 0) return
  throw new ConfigError(
    `The configuration can't be used. Set these variables to UTF-8 text:\n${names.map(name => `  ${name}`).join('\n')}`
  )
}

// The last assignment would silently override the others.
const refuseRepeated = (path: string, text: string): void => {
  const sentences = repeatedNames(text).map(
    ({ name, lines }) => `  ${name} is set on lines ${lines.slice(0, -1).join(', ')} and ${lines.at(-1)}`
  )
  if (sentences.length === 0) return
  throw new ConfigError(
    `${path} sets a variable more than once. Keep only one line for each variable:\n${sentences.join('\n')}`
  )
}

// A truncated secret could still be valid, but it would be weak.
const refuseCut = (path: string, text: string): void => {
  const names = cutNames(text, SECRETS)
  if (names.length === 0) return
  throw new ConfigError(
    `${path} contains a # in the value of a secret. Quote the value, or move the comment to its own line:\n${names
      .map(name => `  ${name}`)
      .join('\n')}`
  )
}

const variableOf = (error: ErrorObject): string =>
  error.keyword === 'required' ? String(error.params['missingProperty']) : error.instancePath.slice(1)

const issueOf = (error: ErrorObject): string => {
  const properties: Record<string, { type: unknown; hint?: string }> = Config.properties
  return String(error.keyword === 'check' ? error.message : properties[variableOf(error)]?.hint)
}
