import { EXAMPLE_REQUEST_ID, PROBLEM_MEDIA_TYPE, toDocument } from './problems.ts'
import type { Problem as Document, ProblemClass, ProblemError } from './problems.ts'

type Examples = Record<string, { value: Document }>

interface ProblemReply {
  description: string
  content: Record<string, { schema: object; examples: Examples }>
}

/** Creates the problem responses for a route's schema: one for each status, with one example for each problem. */
export const problemReplies = (...problems: (ProblemClass | ProblemError)[]): Record<number, object> =>
  mergeReplies(
    ...problems.map(Problem => {
      const problem = typeof Problem === 'function' ? new Problem() : Problem
      const document = toDocument(problem, { requestId: EXAMPLE_REQUEST_ID })
      return { [document.status]: problemReply({ [document.code]: { value: document } }) }
    })
  )

/**
 * Merges sets of responses. If several contain problems with the same status, the result contains all of their
 * examples.
 */
export const mergeReplies = (...sets: Record<number, object>[]): Record<number, object> => {
  const merged: Record<string, object> = {}
  for (const [status, reply] of sets.flatMap(set => Object.entries(set))) {
    const known = merged[status]
    merged[status] =
      known !== undefined && isProblemReply(known) && isProblemReply(reply) ? joined(known, reply) : reply
  }
  return merged
}

const isProblemReply = (reply: object): reply is ProblemReply =>
  'content' in reply && PROBLEM_MEDIA_TYPE in (reply.content as object)

const examplesOf = ({ content }: ProblemReply): Examples | undefined => content[PROBLEM_MEDIA_TYPE]?.examples

// Both may contain the same problem, because hooks add their problems to a GET route, and again to the HEAD route
// derived from it.
const joined = (one: ProblemReply, other: ProblemReply): ProblemReply =>
  problemReply({ ...examplesOf(one), ...examplesOf(other) })

const problemReply = (examples: Examples): ProblemReply => ({
  description: Object.values(examples)
    .map(({ value }) => `${value.title}.`)
    .join(' '),
  content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' }, examples } }
})

/** Creates a response that refers to a shared schema. */
export const reply = (description: string, schema: string, headers?: object): object => ({
  description,
  ...(headers === undefined ? {} : { headers }),
  $ref: `${schema}#`
})

export const noContent = (description: string): object => ({ description, type: 'null' })
