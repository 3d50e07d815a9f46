import type { Issue } from './validation-issues.ts'

/** The schema of the parameters of a path or a query. */
export interface UrlSchema {
  readonly properties: Readonly<Record<string, { readonly type?: unknown }>>
}

// What JavaScript would read as a number is much more: 1e3, 0x10, +1, 01, and digits with spaces around them.
const DECIMAL = /^(0|-?[1-9]\d*)$/
const BOOLEANS = new Map<unknown, boolean>([
  ['true', true],
  ['false', false]
])

/**
 * Creates a function that gives the parameters of a path or a query, which arrive as text, the types that their schema
 * names. A text that stands for no value of the type is left as it is.
 */
export const createUrlReader = ({ properties }: UrlSchema): ((values: Record<string, unknown>) => void) => {
  const typed = Object.entries(properties).filter(([, { type }]) => type === 'integer' || type === 'boolean')
  return values => {
    for (const [name, { type }] of typed) {
      const value = values[name]
      if (type === 'boolean') values[name] = BOOLEANS.get(value) ?? value
      // Of an integer with very many digits it only matters that it is beyond every limit.
      else if (typeof value === 'string' && DECIMAL.test(value)) values[name] = clamped(Number(value))
    }
  }
}

const clamped = (value: number): number => Math.max(-Number.MAX_VALUE, Math.min(value, Number.MAX_VALUE))

/** Issues of types, in the words of a URL. */
export const urlIssues = (issues: readonly Issue[]): Issue[] =>
  issues.map(issue => {
    if (issue.keyword !== 'type') return issue
    if (Array.isArray(issue.data)) return { ...issue, keyword: 'once' }
    return issue.params['type'] === 'integer' ? { ...issue, keyword: 'digits' } : issue
  })

const NO_RESOURCE = ['digits', 'minimum', 'maximum', 'minLength']

/** Whether a parameter of a path is empty, or an id that no resource can have. */
export const isNoResource = ({ keyword }: Pick<Issue, 'keyword'>): boolean => NO_RESOURCE.includes(keyword)
