/** One thing that is wrong with an input. */
export interface FieldIssue {
  /** The names that lead to the field, from the outermost on; empty for the input as a whole. */
  readonly path: readonly string[]
  /** A sentence that begins with the field. It never holds what was sent. */
  readonly detail: string
}

/** The issues of one field, of which each sentence names one. */
export const issuesOf = (field: string, sentences: readonly string[]): FieldIssue[] =>
  sentences.map(detail => ({ path: [field], detail }))

/** What issues say, each sentence once. */
export const sentencesOf = (issues: readonly FieldIssue[]): string[] => [...new Set(issues.map(({ detail }) => detail))]
