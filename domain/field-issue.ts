/** One problem with an input. */
export interface FieldIssue {
  /** The member names that lead to the field, outermost first. Empty if the issue concerns the whole input. */
  readonly path: readonly string[]
  /** A sentence that begins with the field's name. It never contains the value that was sent. */
  readonly detail: string
}

/** Returns an issue with the same field for each sentence. */
export const issuesOf = (field: string, sentences: readonly string[]): FieldIssue[] =>
  sentences.map(detail => ({ path: [field], detail }))

/** Returns the details of the issues, without duplicates. */
export const sentencesOf = (issues: readonly FieldIssue[]): string[] => [...new Set(issues.map(({ detail }) => detail))]
