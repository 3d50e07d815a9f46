import type { XStatic } from 'typebox/schema'
import type { TagKey } from '../../../domain/apps/app.ts'
import type { ListPosition } from '../../../domain/apps/rows.ts'
import type { AppQuery } from '../../../domain/apps/service.ts'
import { InvalidFields } from '../../../domain/errors.ts'
import { issuesOf } from '../../../domain/field-issue.ts'
import { EXAMPLE_LIMIT } from '../../../http/pages.ts'

/** How many tags a list may be filtered by. */
const MAX_TAGS = 20

// Swagger UI fills examples in. `limit` has one, so that a first try brings a page and not millions of apps; `after`
// has none, since a page that starts in the middle is a puzzling first reply.
/** The query string of the list of apps. */
export const ListQuery = {
  type: 'object',
  properties: {
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      description: 'How many apps a page has; without it every app comes.',
      examples: [EXAMPLE_LIMIT]
    },
    after: {
      type: 'string',
      maxLength: 2000,
      description: 'Where the page starts: copy it from the `Link` header of the page before.'
    },
    include_deleted: { type: 'boolean', default: false, description: 'Whether deleted apps come too.' },
    tagged_with: {
      type: 'string',
      maxLength: 2000,
      description: `Only apps that bear all these tags: a JSON array such as
\`[{"department":"finance"},{"stage":"production"}]\`, with ${MAX_TAGS} tags at most.`
    }
  }
} as const

const AFTER_RULE = 'must be copied from the Link header of the page before'
const TAGS_RULE = `must be a JSON array of objects such as {"department":"finance"}, with ${MAX_TAGS} tags at most`

type Requested = XStatic<typeof ListQuery>

/** What a query string asks for. Throws InvalidFields, naming what can't be read. */
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

/** The path of the page after a place, with the same query. */
export const nextPath = ({ limit, ...requested }: Requested, query: AppQuery, next: ListPosition): string => {
  const parameters = new URLSearchParams({
    limit: String(limit),
    after: encodeCursor(next),
    ...(query.includeDiscarded ? { include_deleted: 'true' } : {}),
    ...(query.tags.length > 0 ? { tagged_with: String(requested.tagged_with) } : {})
  })
  return `/apps?${parameters.toString()}`
}

// Not every database takes it.
const NUL = '\0'

/** Writes a place in the list as an opaque word that is safe in a URL. */
const encodeCursor = ({ descriptiveName, id }: ListPosition): string =>
  Buffer.from(JSON.stringify([descriptiveName, id])).toString('base64url')

/** Reads such a word; null for anything that `encodeCursor` did not write. */
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
 * Reads a `tagged_with` filter: a JSON array of objects whose members are contexts and names, such as
 * `[{"department":"finance"},{"stage":"production"}]`. Answers null for anything else, for more than `MAX_TAGS` tags,
 * and if one has the character U+0000, which not every database takes, or half of a surrogate pair.
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
