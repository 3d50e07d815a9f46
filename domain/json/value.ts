/** The maximum nesting depth of objects and arrays in a JSON value. */
export const MAX_DEPTH = 100

/**
 * Returns whether a value's objects and arrays are nested more deeply than `MAX_DEPTH`. Serializing a very deep value
 * would fail.
 */
export const isTooDeep = (value: unknown, remainingDepth = MAX_DEPTH): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (remainingDepth === 0 || Object.values(value).some(child => isTooDeep(child, remainingDepth - 1)))

/** The rule against numbers outside the range of a double, worded to complete a sentence. */
export const RANGE_RULE = 'must not contain numbers beyond the range of a double'

/**
 * Returns whether a JSON value contains a number outside the range of a double, which would be serialized as null. The
 * value must not be too deep.
 */
export const isOutOfRange = (value: unknown): boolean =>
  value === Infinity ||
  value === -Infinity ||
  (typeof value === 'object' && value !== null && Object.values(value).some(isOutOfRange))

/**
 * Returns all strings and member names in a JSON value, which must not be too deep. Collects them in a single array,
 * because a value may have hundreds of thousands of members.
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

/** Serializes an object as JSON. Returns null for null. */
export const toJson = (value: object | null): string | null => (value === null ? null : JSON.stringify(value))

/** Serializes a JSON value. The result doesn't depend on the order of members. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(byName))
      : member
  )

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)
