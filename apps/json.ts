import type { Json } from './app.ts'

/** How deep the objects and arrays of a JSON value may be nested in each other. */
export const MAX_DEPTH = 100

/** Whether a JSON value is nested deeper than `MAX_DEPTH`. Goes no deeper than that itself. */
export const isTooDeep = (value: unknown, room = MAX_DEPTH): boolean =>
  typeof value === 'object' && value !== null && (room === 0 || Object.values(value).some(child => isTooDeep(child, room - 1)))

/** A JSON object, or null, as text. */
export const toJson = (value: object | null): Json | null => value === null ? null : JSON.stringify(value)
