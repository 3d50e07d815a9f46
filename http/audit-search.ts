import { SEARCH_COLUMNS, SEARCH_OPERATORS } from '../domain/audits/scope.ts'
import type { AuditCondition, SearchColumn } from '../domain/audits/scope.ts'
import { InvalidFields } from '../domain/errors.ts'
import { issuesOf } from '../domain/field-issue.ts'
import { TIMESTAMP_RULE, readTimestamp } from './timestamps.ts'
import { checked } from './validation.ts'

const Search = {
  type: 'object',
  required: ['search'],
  properties: {
    search: {
      type: 'array',
      maxItems: 20,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['c', 'o', 'p'],
        properties: {
          c: { type: 'string', enum: SEARCH_COLUMNS },
          o: { type: 'string', enum: SEARCH_OPERATORS },
          p: {}
        }
      }
    }
  }
} as const

const MAX_VALUES = 100

/**
 * Parses search conditions in the format that Trivial's own clients use: a JSON array of `{c, o, p}` objects, which
 * contain a column, an operator and a value. Throws InvalidFields if the string is invalid.
 */
export const readSearch = (text: string): AuditCondition[] => {
  const { search } = checked(Search, { search: parsed(text) })
  return search.map(({ c: column, o: operator, p: predicate }, index) => {
    const values = operator === 'IN' ? listOf(predicate) : [predicate]
    if (values === null) throw invalid(index, `must be an array of 1 to ${MAX_VALUES} values`)
    return { column, operator, values: values.map(value => toValue(column, value, index)) }
  })
}

const invalid = (index: number, rule: string): InstanceType<typeof InvalidFields> =>
  new InvalidFields({ issues: [{ path: ['search', String(index), 'p'], detail: `search.${index}.p ${rule}` }] })

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidFields({
      issues: issuesOf('search', ['search must be a JSON array of conditions, such as [{"c":"user_id","o":"=","p":1}]'])
    })
  }
}

const listOf = (predicate: unknown): unknown[] | null =>
  Array.isArray(predicate) && predicate.length > 0 && predicate.length <= MAX_VALUES ? predicate : null

const toValue = (column: SearchColumn, value: unknown, index: number): number | Date => {
  if (column === 'created_at') {
    const timestamp = typeof value === 'string' ? readTimestamp(value, 'ago') : TIMESTAMP_RULE
    if (typeof timestamp === 'string') throw invalid(index, timestamp)
    return timestamp
  }
  const id = typeof value === 'string' && /^(?:0|[1-9]\d{0,14})$/.test(value) ? Number(value) : value
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) throw invalid(index, 'must be an id')
  return id
}
