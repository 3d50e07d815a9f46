import type { Test } from 'tap'
import { emptyPostgres } from '../postgres.ts'
import type { Received } from '../domain/access/matrix/matrix.ts'
import { createService, issuesOf, sendOne } from './operations.ts'
import type { Service } from './operations.ts'
import { interceptQueries } from './queries.ts'
import type { Failure } from './queries.ts'

/**
 * Moves the clock on at each look at it, so that what is tried again for a second is tried once. A change of keys has a
 * second for all that it does, and looks more often: it is tried twice.
 */
export const hurry = (t: Test): void => {
  const began = Date.now()
  let leaps = 0
  let leapsOfChanges = 0
  const value = (): number => {
    const isOfChange = String(new Error().stack).includes('key-changes')
    return Date.now() - began + (isOfChange ? 60 * leapsOfChanges++ : 2000 * leaps++)
  }
  t.intercept(performance, 'now', { value })
}

/** How many connections of a service may be lost at once. */
const MAX_LOST = 12

interface Outcome {
  readonly issues: readonly string[]
  /** How many queries failed. */
  readonly count: number
}

/** Sends a request again and again: its queries fail from the first on, then from the second on, until none fails. */
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
    // Attempts to prove a password are limited by user.
    await service.fixture.db.execute('delete from rate_counters')
    const found = issuesOf(service, each.request, result)
    if (status >= 400 && changes.length > 0 && !text.includes('OUTCOME_UNKNOWN')) {
      found.push(`${status}, but ${changes.join()}`)
    }
    issues.push(...found.map(issue => `${each.request.route}, query ${n}: ${issue}`))
    if (isReached) continue
    if (status < 300) return { issues, count: n - 1 }
    // It found a connection that was lost in the round before.
    if (++lost > MAX_LOST) return { issues: [...issues, `${each.request.route}: ${status} ${text}`], count: n - 1 }
    n--
  }
}

/** Has each query of operations fail, and those that follow it. By default these are all operations of the API. */
export const failEachQuery = async (
  t: Test,
  failures: readonly Failure[],
  routes?: readonly string[]
): Promise<void> => {
  const url = await emptyPostgres()
  if (url === null) return
  // A lease of 0: each request asks the database for what has changed of keys.
  const service = await createService(t, { DATABASE_URL: url, KEY_LEASE_MS: '0' })
  const requests = service.requests.filter(({ request }) => routes?.includes(request.route) !== false)
  const { failFrom } = interceptQueries(t)
  hurry(t)
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
