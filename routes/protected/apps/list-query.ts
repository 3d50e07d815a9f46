import type { XStatic } from 'typebox/schema'
import type { TagKey } from '../../../domain/apps/app.ts'
import type { ListPosition } from '../../../domain/apps/rows.ts'
import type { AppQuery } from '../../../domain/apps/service.ts'
import { InvalidFields } from '../../../domain/errors.ts'
import { issuesOf } from '../../../domain/field-issue.ts'
import { EXAMPLE_LIMIT } from '../../../http/pages.ts'

/** The maximum number of tags in a filter. */
const MAX_TAGS = 20

// Swagger UI prefills forms with examples. `limit` has one, so that the first request returns a page instead of
// millions of apps. `after` has none, because a list that begins in the middle would be confusing.
/** The query parameters for the list of apps. */
export const ListQuery = {
  type: 'object',
  properties: {
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      description: 'The maximum number of apps on a page. Without it, the reply contains all apps.',
      examples: [EXAMPLE_LIMIT]
    },
    after: {
      type: 'string',
      maxLength: 2000,
      description: 'The position where the page starts. Copy it from the `Link` header of the previous page.'
    },
    include_deleted: { type: 'boolean', default: false, description: 'Whether the list includes deleted apps.' },
    tagged_with: {
      type: 'string',
      maxLength: 2000,
      description:
        `Only apps that have all of these tags. Must be a JSON array with at most ${MAX_TAGS} tags, such as ` +
        '`[{"department":"finance"},{"stage":"production"}]`.'
    }
  }
} as const

const AFTER_RULE = 'must be copied from the Link header of the previous page'
const TAGS_RULE = `must be a JSON array of objects such as {"department":"finance"}, with at most ${MAX_TAGS} tags`

type Requested = XStatic<typeof ListQuery>

/** Converts query parameters to a query for apps. Throws InvalidFields with all parameters that can't be parsed. */
export const toAppQuery = ({
  limit,
  after: cursor,
  include_deleted: includeDiscarded = false,
  tagged_with: taggedWith = '[]'
}: Requested): AppQuery => {
  const after = cursor === undefined ? undefined : decodeCursor(cursor)
  const tags = parseTaggedWith(taggedWith)
  if (after !== null && tags !== null) return { after, limit, includeDiscarded, tags }
  const issues = [
    ...issuesOf('after', after === null ? [`after ${AFTER_RULE}`] : []),
    ...issuesOf('tagged_with', tags === null ? [`tagged_with ${TAGS_RULE}`] : [])
  ]
  throw new InvalidFields({ issues })
}

/** Returns the path of the page that starts after the given position, with the same query. */
export const nextPath = ({ limit, ...requested }: Requested, query: AppQuery, next: ListPosition): string => {
  const parameters = new URLSearchParams({
    limit: String(limit),
    after: encodeCursor(next),
    ...(query.includeDiscarded ? { include_deleted: 'true' } : {}),
    ...(query.tags.length > 0 ? { tagged_with: String(requested.tagged_with) } : {})
  })
  return `/apps?${parameters.toString()}`
}

// Not every database can store this character.
const NUL = '\0'

/** Encodes a position in the list as an opaque string that is safe in a URL. */
const encodeCursor = ({ descriptiveName, id }: ListPosition): string =>
  Buffer.from(JSON.stringify([descriptiveName, id])).toString('base64url')

/** Decodes a position. Returns null if the string wasn't created by `encodeCursor`. */
const decodeCursor = (cursor: string): ListPosition | null => {
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

/**
 * Parses a `tagged_with` filter: a JSON array of objects whose members map contexts to names, such as
 * `[{"department":"finance"},{"stage":"production"}]`. Returns null for anything else, for more than `MAX_TAGS` tags,
 * and for tags that contain an unpaired surrogate or the character U+0000, which not every database can store.
 */
const parseTaggedWith = (text: string): TagKey[] | null => {
  const filter = parse(text)
  if (!Array.isArray(filter)) return null
  const tags: TagKey[] = []
  for (const entry of filter as unknown[]) {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return null
    for (const [context, name] of Object.entries(entry)) {
      if (typeof name !== 'string' || tags.length === MAX_TAGS) return null
      if (!isStorable(context) || !isStorable(name)) return null
      tags.push({ context, name })
    }
  }
  return tags
}

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
