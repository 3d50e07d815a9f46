/**
 * An error that the person who started the program can fix. The message describes the problem, and the hint describes
 * how to fix it unless the message already does.
 */
export class UserError extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** Returns a UserError's message, followed by its hint if it has one. */
export const textOf = ({ message, hint }: Pick<UserError, 'message' | 'hint'>): string =>
  hint === undefined ? message : `${message} ${hint}`
