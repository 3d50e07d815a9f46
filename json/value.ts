/** How deep the objects and arrays of a JSON value may be nested in each other. */
export const MAX_DEPTH = 100

/**
 * What keeps a JSON value from being stored, as the end of a sentence; null: nothing does. A number too large for a double
 * would come back as null, and what is nested too deep could not be written.
 */
export const jsonFault = (value: unknown, room = MAX_DEPTH): string | null => {
  if (value === Infinity || value === -Infinity) return 'must not hold numbers beyond the range of a double'
  if (typeof value !== 'object' || value === null) return null
  if (room === 0) return `must not be nested more than ${MAX_DEPTH} deep`
  for (const child of Object.values(value)) {
    const fault = jsonFault(child, room - 1)
    if (fault !== null) return fault
  }
  return null
}

/** A JSON object, or null, as text. */
export const toJson = (value: object | null): string | null => value === null ? null : JSON.stringify(value)

/** A JSON value as text that is the same whatever the order of its members. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, (_, member: unknown) =>
  typeof member === 'object' && member !== null && !Array.isArray(member) ? Object.fromEntries(Object.entries(member).sort(byName)) : member)

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => a < b ? -1 : 1
