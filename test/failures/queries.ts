import pg from 'pg'
import type { Test } from 'tap'

/** A failure that replaces a query. */
export interface Failure {
  readonly name: string
  /** If true, the queries that follow succeed. By default, they fail too. */
  readonly isOnce?: true
  /** Returns statements that cause the failure, or null if the connection is reset. */
  readonly statement: (text: string) => string | null
}

const raised = (code: string): string => `do $$ begin raise exception 'of a test' using errcode = '${code}'; end $$`

/** Returns a failure that the server reports with the SQLSTATE `code`. */
export const reported = (name: string, code: string): Failure => ({ name, statement: () => raised(code) })

/** Returns a failure that the server reports for one query. The following queries succeed. */
export const reportedOnce = (name: string, code: string): Failure => ({ ...reported(name, code), isOnce: true })

export const RESET: Failure = { name: 'the connection is reset', statement: () => null }

/** The server terminates the connection, as when it restarts. */
export const TERMINATED: Failure = {
  name: 'the server terminates the connection',
  statement: () => 'select pg_terminate_backend(pg_backend_pid())'
}

/** The commit is executed, but its reply is lost. */
export const REPLY_LOST: Failure = {
  name: 'the commit is carried out and its reply is lost',
  statement: text => (text === 'commit' ? `commit; ${TERMINATED.statement('') ?? ''}` : raised('57P01'))
}

/** This process's queries. */
export interface Queries {
  /** Fails all queries from the n-th, and returns whether `work` has sent that many. */
  readonly failFrom: <T>(
    failure: Failure,
    n: number,
    work: () => Promise<T>
  ) => Promise<{ result: T; isReached: boolean }>
}

interface Sent {
  text: string
  values?: unknown
}

/** Intercepts the queries on all connections that the driver opens. */
export const interceptQueries = (t: Test): Queries => {
  const { query } = pg.Client.prototype as { query: (this: pg.Client, ...args: unknown[]) => unknown }
  let count = 0
  let failing: { failure: Failure; from: number } | null = null
  t.intercept(pg.Client.prototype, 'query', {
    value: function (this: pg.Client, sent: string | Sent, ...rest: unknown[]) {
      if (failing === null || ++count < failing.from || (failing.failure.isOnce === true && count > failing.from)) {
        return query.call(this, sent, ...rest)
      }
      const statement = failing.failure.statement(typeof sent === 'string' ? sent : sent.text)
      if (statement === null) {
        this.connection.stream.destroy()
        return query.call(this, sent, ...rest)
      }
      return query.call(this, statement, ...rest.filter(each => typeof each === 'function'))
    }
  })
  return {
    failFrom: async (failure, from, work) => {
      count = 0
      failing = { failure, from }
      try {
        const result = await work()
        return { result, isReached: count >= from }
      } finally {
        failing = null
      }
    }
  }
}
