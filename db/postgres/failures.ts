import { DrizzleQueryError } from 'drizzle-orm'
import { DatabaseError } from 'pg'
import type { BackgroundHooks } from '../../domain/background.ts'
import { OutcomeUnknown, ServiceUnavailable } from '../../domain/errors.ts'
import { RowMissing } from '../row-missing.ts'

/** A query that failed for another reason than what the server says: its connection is lost, or could not be made. */
export class ConnectionLost extends Error {}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const UNIQUE_VIOLATION = '23505'
const FOREIGN_KEY_VIOLATION = '23503'
const RESTRICT_VIOLATION = '23001'
/** What the check fails with that nothing has changed which a change of keys has read. */
const NOT_NULL_VIOLATION = '23502'
/** A statement was ended, by its time-out or by an operator. */
const QUERY_CANCELED = '57014'
export const LOCK_NOT_AVAILABLE = '55P03'
const INSUFFICIENT_PRIVILEGE = '42501'

/** Another transaction was in the way: tried again, the rules see what that has done. */
const CONFLICTS: readonly string[] = [
  SERIALIZATION_FAILURE,
  DEADLOCK,
  UNIQUE_VIOLATION,
  FOREIGN_KEY_VIOLATION,
  RESTRICT_VIOLATION,
  NOT_NULL_VIOLATION
]

/**
 * The connection fails or is refused, resources are short, an operator intervenes, a time-out is over, a standby
 * answers, or what the connection has prepared is gone, or out of date since another version has migrated. A connection
 * that has reported one of these is not used again.
 */
const CONNECTION_FAILURES = /^(08|28|53|57|58|XX)|^(0A000|25006|25P03|26000|3D000|42501|55000|55P03)/

/**
 * The statement itself is at fault: its values, a constraint that is no conflict, its syntax. A null where there must
 * be a value, 23502, comes from a row that is missing: that of `audit_head`.
 */
const FAULTS = /^(22|23(?!502)|42601)/

/** What the server says of a failure, below what Drizzle makes of it; null: it is no failure of a query. */
const databaseErrorOf = (error: unknown): DatabaseError | ConnectionLost | null => {
  const inner = error instanceof DrizzleQueryError ? error.cause : error
  if (inner instanceof DatabaseError || inner instanceof ConnectionLost) return inner
  return error instanceof DrizzleQueryError ? new ConnectionLost('the connection is lost', { cause: inner }) : null
}

/** Whether work may succeed if it is done once more, after another transaction got in its way. */
export const isConflict = (error: unknown): boolean => {
  const inner = databaseErrorOf(error)
  return inner instanceof DatabaseError && CONFLICTS.includes(String(inner.code))
}

/** Whether the same would soon fail again: somebody holds a lock for long, or a right is missing. */
export const isLasting = (error: unknown): boolean => {
  const inner = databaseErrorOf(error)
  return (
    inner instanceof DatabaseError &&
    [LOCK_NOT_AVAILABLE, QUERY_CANCELED, INSUFFICIENT_PRIVILEGE].includes(String(inner.code))
  )
}

/** Whether the connection, or the server behind it, can't be used now. */
export const isConnectionFailure = (error: unknown): boolean => {
  const inner = databaseErrorOf(error)
  return inner instanceof ConnectionLost || (inner !== null && CONNECTION_FAILURES.test(String(inner.code)))
}

/** Whether the database can't be used now: also while it is restored, when tables, rights or rows are missing. */
export const isUnavailable = (error: unknown): boolean => {
  const inner = databaseErrorOf(error)
  if (!(inner instanceof DatabaseError)) return inner !== null || error instanceof RowMissing
  return !isConflict(error) && !FAULTS.test(String(inner.code))
}

/** What the server says is wrong with a value, it quotes. */
const VALUE_FAULT = /^22/

/** A failure that the server has reported, without values of the statement. */
export class ServerFailure extends Error {
  /** The SQLSTATE. */
  readonly code: string

  constructor({ message, code }: DatabaseError) {
    super(VALUE_FAULT.test(String(code)) ? message.replace(/".*"/s, '"…"') : message)
    this.code = String(code)
  }
}

// What Drizzle and the server tell of a statement has its values, which nobody is to find in a log.
const withoutValues = (error: unknown): unknown => {
  const inner = databaseErrorOf(error)
  if (inner === null) return error
  return inner instanceof DatabaseError ? new ServerFailure(inner) : inner
}

/** Hooks that get failures without values of statements. */
export const withoutStatementValues = ({ onFailure, onRecovery }: BackgroundHooks): BackgroundHooks => ({
  onFailure: (error, work) => {
    onFailure(withoutValues(error), work)
  },
  onRecovery
})

/**
 * A `ServiceUnavailable` for a failure of the database, unless the statement is at fault; any other failure, without
 * values of a statement.
 */
export const toFailure = (error: unknown): unknown => {
  const cause = withoutValues(error)
  return isUnavailable(error) || isConflict(error) ? new ServiceUnavailable({ cause }) : cause
}

/** The failure of a transaction whose connection was lost while it was committed. */
export const toUnknownOutcome = (cause: unknown): Error => new OutcomeUnknown({ cause })

/** Runs a query of the driver, and tells a lost connection from what the server refuses. */
export const asQuery = async <T>(query: Promise<T>): Promise<T> => {
  try {
    return await query
  } catch (error) {
    throw error instanceof DatabaseError ? error : new ConnectionLost('the connection is lost', { cause: error })
  }
}
