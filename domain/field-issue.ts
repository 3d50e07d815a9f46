/** One problem with an input. */
export interface FieldIssue {
  /** The member names on the path to the field, outermost first. Empty if the issue concerns the input as a whole. */
  readonly path: readonly string[]
  /** A sentence that begins with the field. It never contains the value that was sent. */
  readonly detail: string
}

/** Returns one issue with the given field for each sentence. */
export const issuesOf = (field: string, sentences: readonly string[]): FieldIssue[] =>
  sentences.map(detail => ({ path: [field], detail }))

/** Returns the sentences of the given issues, without duplicates. */
export const sentencesOf = (issues: readonly FieldIssue[]): string[] => [...new Set(issues.map(({ detail }) => detail))]
