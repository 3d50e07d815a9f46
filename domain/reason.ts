import { isDomainError } from './domain-error.ts'

/**
 * Returns the reason for an expected failure: the messages of its causes, and the code of the last cause, such as an
 * SQLSTATE. Returns null if the failure is unexpected or has no cause. The reason doesn't contain any values from SQL
 * statements.
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

// If all addresses of a host refuse a connection, the AggregateError has no message, but each of its errors has one.
const firstOf = (cause: unknown): unknown => (cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause)
