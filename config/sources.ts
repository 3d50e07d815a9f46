import { Config } from './schema.ts'
import type { Environment } from './read.ts'

const VARIABLE = new RegExp(`^( {2}|)(${Object.keys(Config.properties).join('|')})(?=[: ])`, 'gm')

/**
 * Adds the source of the value after each variable name that begins a line of the message: `PORT (set in .env) must be
 * …`. The process environment overrides `.env`. Nothing is added for a variable that neither of them sets, because it
 * has its default value.
 */
export const withSources = (message: string, variables: Environment, processVariables: Environment): string =>
  message.replaceAll(VARIABLE, (_, indent: string, name: string) => {
    if (variables[name] === undefined) return `${indent}${name}`
    const isOfProcess = processVariables[name] !== undefined
    return `${indent}${name} (${isOfProcess ? 'set in the environment' : 'set in .env'})`
  })
