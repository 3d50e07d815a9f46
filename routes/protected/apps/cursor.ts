import type { ListPosition } from '../../../domain/apps/rows.ts'

// Not every database takes it.
const NUL = '\0'

/** Writes a place in the list as an opaque word that is safe in a URL. */
export const encodeCursor = ({ descriptiveName, id }: ListPosition): string =>
  Buffer.from(JSON.stringify([descriptiveName, id])).toString('base64url')

/** Reads such a word; null for anything that `encodeCursor` did not write. */
export const decodeCursor = (cursor: string): ListPosition | null => {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (!Array.isArray(decoded)) return null
    const [descriptiveName, id] = decoded as unknown[]
    if (typeof descriptiveName !== 'string' || typeof id !== 'number' || !Number.isSafeInteger(id)) return null
    const position = { descriptiveName, id }
    return encodeCursor(position) === cursor && !descriptiveName.includes(NUL) ? position : null
  } catch {
    return null
  }
}
