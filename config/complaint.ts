/** A failure that the person who started the program can mend; the message is all there is to show. */
export class Complaint extends Error {}

/** Shows a failure on standard error, and has the process end with exit code 1: a complaint in words, any other with its stack. */
export const complain = (failure: unknown): void => {
  console.error(failure instanceof Complaint ? failure.message : failure)
  process.exitCode = 1
}
