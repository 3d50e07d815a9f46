import type { Json } from './app.ts'

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
export const toJson = (value: object | null): Json | null => value === null ? null : JSON.stringify(value)
