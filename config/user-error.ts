/**
 * A failure that the person who started the program can fix. The message says what is wrong; the hint says what to do,
 * where the message does not.
 */
export class UserError extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** What to show of a UserError. */
export const textOf = ({ message, hint }: Pick<UserError, 'message' | 'hint'>): string =>
  hint === undefined ? message : `${message} ${hint}`
