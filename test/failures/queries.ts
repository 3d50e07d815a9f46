import pg from 'pg'
import type { Test } from 'tap'

/** What happens to a query, in place of what it asks for. */
export interface Failure {
  readonly name: string
  /** Whether the queries that follow succeed; by default they fail as well. */
  readonly isOnce?: true
  /** Statements that have the server fail as it would by itself; null: the connection is reset. */
  readonly statement: (text: string) => string | null
}

const raised = (code: string): string => `do $$ begin raise exception 'of a test' using errcode = '${code}'; end $$`

/** Failures that the server reports. */
export const reported = (name: string, code: string): Failure => ({ name, statement: () => raised(code) })

/** A failure that the server reports of one query, after which it goes on. */
export const reportedOnce = (name: string, code: string): Failure => ({ ...reported(name, code), isOnce: true })

export const RESET: Failure = { name: 'the connection is reset', statement: () => null }

/** The server ends the connection, as an operator or a restart does. */
export const ENDED: Failure = {
  name: 'the server ends the connection',
  statement: () => 'select pg_terminate_backend(pg_backend_pid())'
}

/** What is asked for is done, and the answer is lost. */
export const UNANSWERED: Failure = {
  name: 'the commit is done and its answer is lost',
  statement: text => (text === 'commit' ? `commit; ${ENDED.statement('') ?? ''}` : raised('57P01'))
}

/** Queries of this process, which fail from one on. */
export interface Queries {
  /** Has queries fail from the n-th on, and returns whether as many were sent when `work` has ended. */
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

/** Intercepts the queries of all connections that the driver makes. */
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
