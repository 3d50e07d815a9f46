import { sentencesOf } from './field-issue.ts'
import type { FieldIssue } from './field-issue.ts'

/** The details of a failure, in addition to its code. */
export interface ErrorDetails {
  /** Defaults to the first of `errors`, or to the error class's message if there are none. */
  readonly message?: string
  /** One sentence for each problem. Defaults to the details of `issues`. */
  readonly errors?: readonly string[]
  /** The problems with individual fields. */
  readonly issues?: readonly FieldIssue[]
  readonly cause?: unknown
}

/**
 * An expected failure. Clients receive `message` and `errors`, so these must not contain any values from the request.
 */
export class DomainError<Code extends string = string> extends Error {
  /** The machine-readable code of this kind of failure. Its meaning never changes. */
  readonly code: Code
  /** One sentence for each problem, if there are several. */
  readonly errors: readonly string[] | undefined
  /** The problems with individual fields, if they are known. */
  readonly issues: readonly FieldIssue[] | undefined

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    const { issues, errors = issues === undefined ? undefined : sentencesOf(issues) } = details
    super(details.message ?? errors?.[0] ?? message, details)
    this.code = code
    this.errors = errors
    this.issues = issues
  }
}

export const isDomainError = (error: unknown): error is DomainError => error instanceof DomainError

export type DomainErrorClass<Code extends string = string> = new (details?: ErrorDetails) => DomainError<Code>

/** The codes of the errors that a module exports. */
export type CodesOf<Module> = {
  [Name in keyof Module]: Module[Name] extends DomainErrorClass<infer Code> ? Code : never
}[keyof Module]

/** Creates the error class for one kind of failure. */
export const defineError = <const Code extends string>(code: Code, message: string): DomainErrorClass<Code> =>
  class extends DomainError<Code> {
    // The logger writes this name as the error's type.
    static override readonly name: string = code

    constructor(details?: ErrorDetails) {
      super(code, message, details)
    }
  }
