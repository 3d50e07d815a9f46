/** The maximum depth to which the objects and arrays of a JSON value may be nested. */
export const MAX_DEPTH = 100

/** Returns whether objects and arrays are nested deeper than `MAX_DEPTH`. Such a value couldn't be serialized. */
export const isTooDeep = (value: unknown, room = MAX_DEPTH): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (room === 0 || Object.values(value).some(child => isTooDeep(child, room - 1)))

/** The rule against numbers beyond the range of a double, worded as the end of a sentence. */
export const RANGE_RULE = 'must not contain numbers beyond the range of a double'

/**
 * Returns whether a JSON value contains a number beyond the range of a double, which would be serialized as null. The
 * value must not be too deep.
 */
export const isOutOfRange = (value: unknown): boolean =>
  value === Infinity ||
  value === -Infinity ||
  (typeof value === 'object' && value !== null && Object.values(value).some(isOutOfRange))

/**
 * Returns every string and every member name in a JSON value, which must not be too deep. The value may have hundreds
 * of thousands of members, so all of them are collected in one array.
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

/** Returns an object serialized as JSON, or null for null. */
export const toJson = (value: object | null): string | null => (value === null ? null : JSON.stringify(value))

/** Returns a JSON value serialized in a form that doesn't depend on the order of its members. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(byName))
      : member
  )

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)
