import type { Issue } from './validation-issues.ts'

/** The schema for path or query parameters. */
export interface UrlSchema {
  readonly properties: Readonly<Record<string, { readonly type?: unknown }>>
}

// JavaScript would also parse 1e3, 0x10, +1, 01, and digits with spaces around them as numbers.
const DECIMAL = /^(0|-?[1-9]\d*)$/
const BOOLEANS = new Map<unknown, boolean>([
  ['true', true],
  ['false', false]
])

/**
 * Creates a function that converts path or query parameters from strings to the types in their schema. Strings that
 * can't be converted stay unchanged.
 */
export const createUrlReader = ({ properties }: UrlSchema): ((values: Record<string, unknown>) => void) => {
  const typed = Object.entries(properties).filter(([, { type }]) => type === 'integer' || type === 'boolean')
  return values => {
    for (const [name, { type }] of typed) {
      const value = values[name]
      if (type === 'boolean') values[name] = BOOLEANS.get(value) ?? value
      // The exact value of a very large integer doesn't matter, because it exceeds every limit.
      else if (typeof value === 'string' && DECIMAL.test(value)) values[name] = clamped(Number(value))
    }
  }
}

const clamped = (value: number): number => Math.max(-Number.MAX_VALUE, Math.min(value, Number.MAX_VALUE))

/** Replaces issues about JSON types with issues about strings in a URL. */
export const urlIssues = (issues: readonly Issue[]): Issue[] =>
  issues.map(issue => {
    if (issue.keyword !== 'type') return issue
    if (Array.isArray(issue.data)) return { ...issue, keyword: 'once' }
    return issue.params['type'] === 'integer' ? { ...issue, keyword: 'digits' } : issue
  })

const NO_RESOURCE = ['digits', 'minimum', 'maximum', 'minLength']

/** Returns whether an issue means that a path parameter is empty or can't be a resource's id. */
export const isNoResource = ({ keyword }: Pick<Issue, 'keyword'>): boolean => NO_RESOURCE.includes(keyword)
