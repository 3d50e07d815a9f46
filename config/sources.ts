import { Config } from './schema.ts'
import type { Environment } from './read.ts'

const VARIABLE = new RegExp(`^( {2}|)(${Object.keys(Config.properties).join('|')})(?=[: ])`, 'gm')

/**
 * Adds the source of the value to each variable that begins a line of a message: `PORT (set in .env) must be …`. The
 * process environment overrides `.env`. If neither sets a variable, nothing is added, because it has its default.
 */
export const withSources = (message: string, variables: Environment, processVariables: Environment): string =>
  message.replaceAll(VARIABLE, (_, indent: string, name: string) => {
    if (variables[name] === undefined) return `${indent}${name}`
    const isOfProcess = processVariables[name] !== undefined
    return `${indent}${name} (${isOfProcess ? 'set in the environment' : 'set in .env'})`
  })
