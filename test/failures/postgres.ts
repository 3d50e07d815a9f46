import type { Test } from 'tap'
import { emptyPostgres } from '../postgres.ts'
import type { Received } from '../domain/access/matrix/matrix.ts'
import { createService, issuesOf, sendOne } from './operations.ts'
import type { Service } from './operations.ts'
import { interceptQueries } from './queries.ts'
import type { Failure } from './queries.ts'

/**
 * Advances the clock each time it's read. An attempt that would be retried for a second is made only once. A change to
 * keys, which has one second in total and reads the clock more often, is attempted twice.
 */
export const speedUpClock = (t: Test): void => {
  const began = Date.now()
  let leaps = 0
  let leapsOfChanges = 0
  const value = (): number => {
    const isOfChange = String(new Error().stack).includes('key-changes')
    return Date.now() - began + (isOfChange ? 60 * leapsOfChanges++ : 2000 * leaps++)
  }
  t.intercept(performance, 'now', { value })
}

/** The maximum number of connections that a service may lose at once. */
const MAX_LOST = 12

interface Outcome {
  readonly issues: readonly string[]
  /** The number of failed queries. */
  readonly count: number
}

/**
 * Repeats a request. All queries from the first fail, then all queries from the second, and so on, until no query
 * fails.
 */
const outcomeOf = async (
  service: Service,
  each: Service['requests'][number],
  failFrom: (n: number, work: () => Promise<Received>) => Promise<{ result: Received; isReached: boolean }>
): Promise<Outcome> => {
  const issues: string[] = []
  let lost = 0
  for (let n = 1; ; n++) {
    const { result, isReached } = await failFrom(n, async () => await sendOne(service, each))
    const { status, text } = result
    const changes = await service.rows.differences(null)
    await service.rows.restore()
    // Attempts to confirm a password are limited per user.
    await service.fixture.db.execute('delete from rate_counters')
    const found = issuesOf(service, each.request, result)
    if (status >= 400 && changes.length > 0 && !text.includes('OUTCOME_UNKNOWN')) {
      found.push(`${status}, but ${changes.join()}`)
    }
    issues.push(...found.map(issue => `${each.request.route}, query ${n}: ${issue}`))
    if (isReached) continue
    if (status < 300) return { issues, count: n - 1 }
    // The request used a connection that was lost in an earlier round.
    if (++lost > MAX_LOST) return { issues: [...issues, `${each.request.route}: ${status} ${text}`], count: n - 1 }
    n--
  }
}

/**
 * Fails each query of each operation, together with the queries that follow it. By default, tests all operations of the
 * API.
 */
export const failEachQuery = async (
  t: Test,
  failures: readonly Failure[],
  routes?: readonly string[]
): Promise<void> => {
  const url = await emptyPostgres()
  if (url === null) return
  // With a lease of 0, each request reads the changes to keys from the database.
  const service = await createService(t, { DATABASE_URL: url, KEY_LEASE_MS: '0' })
  const requests = service.requests.filter(({ request }) => routes?.includes(request.route) !== false)
  const { failFrom } = interceptQueries(t)
  speedUpClock(t)
  for (const failure of failures) {
    const outcomes: Outcome[] = []
    for (const each of requests) {
      outcomes.push(await outcomeOf(service, each, async (n, work) => await failFrom(failure, n, work)))
    }
    t.same(
      outcomes.flatMap(({ issues }) => issues),
      [],
      failure.name
    )
    const count = outcomes.reduce((sum, each) => sum + each.count, 0)
    t.ok(count > 2 * requests.length, `${failure.name}: ${count} queries failed`)
  }
}
