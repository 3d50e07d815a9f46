import { DrizzleQueryError } from 'drizzle-orm'
import { DatabaseError } from 'pg'
import type { BackgroundHooks } from '../../domain/background.ts'
import { OutcomeUnknown, ServiceUnavailable } from '../../domain/errors.ts'
import { RowMissing } from '../row-missing.ts'

/** Thrown if a query fails without an error from the server, because its connection was lost or couldn't be opened. */
export class ConnectionLost extends Error {}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const UNIQUE_VIOLATION = '23505'
const FOREIGN_KEY_VIOLATION = '23503'
const RESTRICT_VIOLATION = '23001'
/** The error with which a change to keys fails if another transaction has changed the data that it has read. */
const NOT_NULL_VIOLATION = '23502'
/** A statement was cancelled by its timeout or by an operator. */
const QUERY_CANCELED = '57014'
export const LOCK_NOT_AVAILABLE = '55P03'
const INSUFFICIENT_PRIVILEGE = '42501'

/** Conflicts with another transaction. On a retry, the rules see that transaction's changes. */
const CONFLICTS: readonly string[] = [
  SERIALIZATION_FAILURE,
  DEADLOCK,
  UNIQUE_VIOLATION,
  FOREIGN_KEY_VIOLATION,
  RESTRICT_VIOLATION,
  NOT_NULL_VIOLATION
]

/**
 * The connection failed or was refused, resources are exhausted, an operator intervened, a timeout expired, the server
 * is a standby, or a prepared statement no longer exists or is outdated because another version has migrated. A
 * connection that has reported one of these errors isn't used again.
 */
const CONNECTION_FAILURES = /^(08|28|53|57|58|XX)|^(0A000|25006|25P03|26000|3D000|42501|55000|55P03)/

/**
 * The statement itself is wrong: its values, a constraint that isn't a conflict, or its syntax. Error 23502, a null in
 * a required column, isn't included, because it occurs if the row of `audit_head` is missing.
 */
const FAULTS = /^(22|23(?!502)|42601)/

/** Returns the server's error, which Drizzle may have wrapped, or null if no query has failed. */
const databaseErrorOf = (error: unknown): DatabaseError | ConnectionLost | null => {
  const inner = error instanceof DrizzleQueryError ? error.cause : error
  if (inner instanceof DatabaseError || inner instanceof ConnectionLost) return inner
  return error instanceof DrizzleQueryError ? new ConnectionLost('the connection was lost', { cause: inner }) : null
}

/** Returns whether the failed work conflicted with another transaction and may succeed on a retry. */
export const isConflict = (error: unknown): boolean => {
  const inner = databaseErrorOf(error)
  return inner instanceof DatabaseError && CONFLICTS.includes(String(inner.code))
}

/** Returns whether an early retry would also fail, because a lock is held for a long time or a privilege is missing. */
export const isLasting = (error: unknown): boolean => {
  const inner = databaseErrorOf(error)
  return (
    inner instanceof DatabaseError &&
    [LOCK_NOT_AVAILABLE, QUERY_CANCELED, INSUFFICIENT_PRIVILEGE].includes(String(inner.code))
  )
}

/** Returns whether the connection, or the server behind it, is currently unusable. */
export const isConnectionFailure = (error: unknown): boolean => {
  const inner = databaseErrorOf(error)
  return inner instanceof ConnectionLost || (inner !== null && CONNECTION_FAILURES.test(String(inner.code)))
}

/**
 * Returns whether the database is currently unusable. This includes restores, during which tables, privileges or rows
 * may be missing.
 */
export const isUnavailable = (error: unknown): boolean => {
  const inner = databaseErrorOf(error)
  if (!(inner instanceof DatabaseError)) return inner !== null || error instanceof RowMissing
  return !isConflict(error) && !FAULTS.test(String(inner.code))
}

/** Errors whose messages quote a value. */
const VALUE_FAULT = /^22/

/** An error from the server, without the statement's values. */
export class ServerFailure extends Error {
  /** The SQLSTATE. */
  readonly code: string

  constructor({ message, code }: DatabaseError) {
    super(VALUE_FAULT.test(String(code)) ? message.replace(/".*"/s, '"…"') : message)
    this.code = String(code)
  }
}

// Errors from Drizzle and from the server contain a statement's values, which must not appear in a log.
const withoutValues = (error: unknown): unknown => {
  const inner = databaseErrorOf(error)
  if (inner === null) return error
  return inner instanceof DatabaseError ? new ServerFailure(inner) : inner
}

/** Returns hooks that receive failures without the statements' values. */
export const withoutStatementValues = ({ onFailure, onRecovery }: BackgroundHooks): BackgroundHooks => ({
  onFailure: (error, work) => {
    onFailure(withoutValues(error), work)
  },
  onRecovery
})

/**
 * Converts a database failure to a `ServiceUnavailable`, unless the statement itself is at fault. Returns any other
 * failure without the statement's values.
 */
export const toFailure = (error: unknown): unknown => {
  const cause = withoutValues(error)
  return isUnavailable(error) || isConflict(error) ? new ServiceUnavailable({ cause }) : cause
}

/** Returns the error for a transaction whose connection was lost during the commit. */
export const toUnknownOutcome = (cause: unknown): Error => new OutcomeUnknown({ cause })

/** Awaits a driver query. Throws ConnectionLost for failures that the server hasn't reported. */
export const asQuery = async <T>(query: Promise<T>): Promise<T> => {
  try {
    return await query
  } catch (error) {
    throw error instanceof DatabaseError ? error : new ConnectionLost('the connection was lost', { cause: error })
  }
}
