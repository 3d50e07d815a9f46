import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { Ajv } from 'ajv'
import type { ErrorObject } from 'ajv'
import { envSchema } from 'env-schema'
import { Complaint } from './complaint.ts'
import { Config } from './schema.ts'
import type { Check } from './schema.ts'

/** Names and values as the operating system gives them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A configuration that can't be used. The message names every bad variable, what is wrong with it and how to mend it. */
export class ConfigError extends Complaint {
  override readonly name = 'ConfigError'
}

/** Puts the checks of the schema to work; shared with `@fastify/env`, so that both find the same faults. */
export const configAjv = new Ajv({
  allErrors: true,
  coerceTypes: true,
  // With strict numbers Ajv converts 1e999 to Infinity and then compares it with no limit.
  strictNumbers: false,
  useDefaults: true,
  removeAdditional: true,
  meta: false,
  validateSchema: false,
  keywords: ['mend', {
    keyword: 'check',
    type: 'string',
    errors: true,
    compile: (check: Check) => {
      const validate = (value: string): boolean => {
        const fault = check(value)
        validate.errors = fault === null ? [] : [{ keyword: 'check', message: fault }]
        return fault === null
      }
      validate.errors = [] as Partial<ErrorObject>[]
      return validate
    }
  }]
})

/**
 * The variables of `.env` in the working directory, where there is one, under those of the process, which win. A blank
 * value counts as none, so that `PORT=` means the default.
 */
export const environment = (dotenv = '.env', env: Environment = process.env): Environment =>
  Object.fromEntries(Object.entries({ ...readDotenv(dotenv), ...env }).filter(([, value]) => value?.trim() !== ''))

/** Reads the named variables, or all of them. Throws a ConfigError. */
export const readConfig = <Name extends keyof Config = keyof Config>(env: Environment, names?: Name[]): Pick<Config, Name> => {
  const schema = { ...Config, ...names === undefined ? {} : only(names) }
  try {
    return envSchema<Pick<Config, Name>>({ schema, data: { ...env }, env: false, ajv: configAjv })
  } catch (error) {
    throw asConfigError(error)
  }
}

/** Turns a validation error of env-schema into a ConfigError; any other error comes back as it is. */
export const asConfigError = (error: unknown): unknown => {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) return error
  const lines = (error.errors as ErrorObject[]).map(fault => `  ${variableOf(fault)} ${complaintOf(fault)}`)
  return new ConfigError(`The configuration can't be used. Mend these variables in the environment or in .env:\n${lines.join('\n')}`)
}

const only = (names: readonly (keyof Config)[]): object =>
  ({ required: names, properties: Object.fromEntries(names.map(name => [name, Config.properties[name]])) })

/** The text of a `.env` file, without the byte order mark that some editors begin it with. */
export const dotenvText = (path: string): string => readFileSync(path, 'utf8').replace(/^\uFEFF/, '')

const readDotenv = (path: string): Environment => {
  try {
    return parseEnv(dotenvText(path)) as Environment
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw new ConfigError(`${path} can't be read: ${(error as Error).message}`)
  }
}

const variableOf = (fault: ErrorObject): string =>
  fault.keyword === 'required' ? String(fault.params['missingProperty']) : fault.instancePath.slice(1)

const complaintOf = (fault: ErrorObject): string => {
  const properties: Record<string, { type: string, mend?: string }> = Config.properties
  return String(fault.keyword === 'check' ? fault.message : properties[variableOf(fault)].mend)
}
