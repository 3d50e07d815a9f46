import { PROBLEM_MEDIA_TYPE, toDocument } from './problem.ts'
import type { ProblemClass } from './problem.ts'

/** The replies of a route that are problem documents, for its schema: one entry a status, with an example a problem. */
export const problemReplies = (...problems: ProblemClass[]): Record<number, object> => {
  const replies: Record<number, { description: string, content: Record<string, { schema: object, examples: Record<string, object> }> }> = {}
  for (const Kind of problems) {
    const { status, title } = Kind.kind
    const known = replies[status]
    const examples = { ...known?.content[PROBLEM_MEDIA_TYPE]?.examples, [Kind.kind.code]: { value: toDocument(new Kind()) } }
    replies[status] = {
      description: known === undefined ? `${title}.` : `${known.description} ${title}.`,
      content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: 'Problem#' }, examples } }
    }
  }
  return replies
}
