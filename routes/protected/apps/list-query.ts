import type { XStatic } from 'typebox/schema'
import type { ListPosition } from '../../../domain/apps/rows.ts'
import type { AppQuery } from '../../../domain/apps/service.ts'
import { InvalidFields } from '../../../domain/errors.ts'
import { EXAMPLE_LIMIT } from '../../../http/pages.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { MAX_TAGS, parseTaggedWith } from './tagged-with.ts'

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
  throw new InvalidFields([
    ...(after === null ? ['after must be copied from the Link header of the page before'] : []),
    ...(tags === null
      ? [`tagged_with must be a JSON array of objects such as {"department":"finance"}, with ${MAX_TAGS} tags at most`]
      : [])
  ])
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
