/** How deep the objects and arrays of a JSON value may be nested in each other. */
export const MAX_DEPTH = 100

/** Whether objects and arrays are nested deeper in each other than `MAX_DEPTH`: such a value could not be written. */
export const isTooDeep = (value: unknown, room = MAX_DEPTH): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (room === 0 || Object.values(value).some(child => isTooDeep(child, room - 1)))

/** What is wrong with a value that holds a number beyond the range of a double, as the end of a sentence. */
export const RANGE_RULE = 'must not hold numbers beyond the range of a double'

/** Whether a JSON value that is not too deep holds such a number: it would come back as null. */
export const isOutOfRange = (value: unknown): boolean =>
  value === Infinity ||
  value === -Infinity ||
  (typeof value === 'object' && value !== null && Object.values(value).some(isOutOfRange))

/** Every text and every name of a member in a JSON value that is not too deep. */
export const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [name, ...textsIn(member)])
}

/** A JSON object, or null, as text. */
export const toJson = (value: object | null): string | null => (value === null ? null : JSON.stringify(value))

/** A JSON value as text that is the same whatever the order of its members. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(byName))
      : member
  )

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)
