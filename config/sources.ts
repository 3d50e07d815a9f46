import { Config } from './schema.ts'
import type { Environment } from './read.ts'

const VARIABLE = new RegExp(`^( {2}|)(${Object.keys(Config.properties).join('|')})(?=[: ])`, 'gm')

/**
 * Adds the source of the value to each variable name that begins a line of the message: `PORT (set in .env) must be …`.
 * The process environment overrides `.env`. Adds nothing if neither of them sets the variable, because the value is
 * then the default.
 */
export const withSources = (message: string, variables: Environment, processVariables: Environment): string =>
  message.replaceAll(VARIABLE, (_, indent: string, name: string) => {
    if (variables[name] === undefined) return `${indent}${name}`
    const isOfProcess = processVariables[name] !== undefined
    return `${indent}${name} (${isOfProcess ? 'set in the environment' : 'set in .env'})`
  })
