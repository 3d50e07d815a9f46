/**
 * A failure that the person who started the program can fix. The message describes the problem. The hint describes how
 * to fix it, unless the message already does so.
 */
export class UserError extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** Returns the text to show for the given UserError. */
export const textOf = ({ message, hint }: Pick<UserError, 'message' | 'hint'>): string =>
  hint === undefined ? message : `${message} ${hint}`
