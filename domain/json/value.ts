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

/**
 * Every text and every name of a member in a JSON value that is not too deep. The value may have hundreds of thousands
 * of members, so they are collected in one array.
 */
export const textsIn = (value: unknown, texts: string[] = []): string[] => {
  if (typeof value === 'string') texts.push(value)
  else if (Array.isArray(value)) for (const member of value) textsIn(member, texts)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      texts.push(name)
      textsIn(member, texts)
    }
  }
  return texts
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
