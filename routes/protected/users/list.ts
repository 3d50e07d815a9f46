import { InvalidFields } from '../../../domain/errors.ts'
import { toUserJson } from '../../../http/representations/users.ts'
import { DEFAULT_LIMIT, linkHeader, linkNext, pageQuery } from '../../../http/pages.ts'
import { problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

const PageQuery = { type: 'object', properties: pageQuery('users') } as const

export const listSchema = {
  operationId: 'listUsers',
  summary: 'List users',
  description: 'By page, ordered by id; the `Link` header leads to the next one.',
  tags: ['Users'],
  querystring: PageQuery,
  response: {
    200: {
      description: 'The users of a page.',
      headers: linkHeader('</users?after=100>; rel="next"'),
      content: { 'application/json': { schema: { type: 'array', items: { $ref: 'User#' } } } }
    },
    ...problemReplies(InvalidFields)
  }
}

export const listUsers: Handler<typeof listSchema> = async (request, response) => {
  const { limit = DEFAULT_LIMIT, after = 0 } = request.query
  const { users, more } = await request.server.users.page({ limit, after })
  if (more) linkNext(response, users.at(-1)?.id)
  return users.map(toUserJson)
}
