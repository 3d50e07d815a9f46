import { PROBLEM_MEDIA_TYPE, toDocument } from '../problems/problem.ts'
import type { ProblemClass, ProblemError } from '../problems/problem.ts'

interface ProblemReply {
  description: string
  content: Record<string, { schema: object, examples: Record<string, object> }>
}

/** The replies of a route that are problem documents, for its schema: one entry a status, with an example a problem. */
export const problemReplies = (...problems: (ProblemClass | ProblemError)[]): Record<number, object> =>
  mergeReplies(...problems.map(Problem => {
    const { title, ...document } = toDocument(typeof Problem === 'function' ? new Problem() : Problem)
    const reply: ProblemReply = {
      description: `${title}.`,
      content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' }, examples: { [document.code]: { value: { ...document, title } } } } }
    }
    return { [document.status]: reply }
  }))

/** Several sets of replies as one: where a status is a problem in more than one, it gets the examples of all. */
export const mergeReplies = (...sets: Record<number, object>[]): Record<number, object> => {
  const merged: Record<string, object> = {}
  for (const [status, reply] of sets.flatMap(set => Object.entries(set))) {
    const known = merged[status]
    merged[status] = known !== undefined && isProblemReply(known) && isProblemReply(reply) ? joined(known, reply) : reply
  }
  return merged
}

const isProblemReply = (reply: object): reply is ProblemReply => 'content' in reply && PROBLEM_MEDIA_TYPE in (reply.content as object)

const joined = (one: ProblemReply, other: ProblemReply): ProblemReply => {
  const [{ schema, examples }, { examples: more }] = [one, other].map(({ content }) => content[PROBLEM_MEDIA_TYPE])
  return {
    description: `${one.description} ${other.description}`,
    content: { [PROBLEM_MEDIA_TYPE]: { schema, examples: { ...examples, ...more } } }
  }
}

/** A reply of a shared schema. */
export const reply = (description: string, schema: string, headers?: object): object =>
  ({ description, ...headers === undefined ? {} : { headers }, $ref: `${schema}#` })

export const noContent = (description: string): object => ({ description, type: 'null' })
