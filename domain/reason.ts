import { isDomainError } from './errors.ts'

/**
 * Why a foreseen failure happened: what its causes say, and the code of the last one, such as an SQLSTATE. Null: it has
 * no cause, or is none that was foreseen. Causes hold no values of statements.
 */
export const reasonOf = (failure: unknown): string | null => {
  const causes = isDomainError(failure) ? causesOf(failure) : []
  const messages = causes.filter(cause => !isDomainError(cause)).map(({ message }) => message)
  if (messages.length === 0) return null
  const text = messages.join(': ')
  const code = causes.at(-1)?.code
  return typeof code !== 'string' || text.includes(code) ? text : `${text} (${code})`
}

type Cause = Error & { readonly code?: unknown }

const causesOf = ({ cause }: Error): Cause[] => {
  const found = firstOf(cause)
  return found instanceof Error ? [found, ...causesOf(found)] : []
}

// A connection that is refused at each address of a host has no message of its own, but one for each.
const firstOf = (cause: unknown): unknown => (cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause)
