import { test } from 'tap'
import { CALLS } from '../domain/access/matrix/calls.ts'
import { failEachQuery } from './postgres.ts'
import { TERMINATED, reported, reportedOnce, RESET, REPLY_LOST } from './queries.ts'

test("if any operation's queries fail, starting with any of them, the OpenAPI document declares the response", async t => {
  await failEachQuery(t, [
    RESET,
    TERMINATED,
    REPLY_LOST,
    reported('no table', '42P01'),
    reported('a conflict', '40001')
  ])
})

/** Operations whose first statement is a change that is sent together with the failing BEGIN. */
const CHANGE_AT_ONCE = ['DELETE /auth/sign_out', 'DELETE /profile/sessions/{id}', 'POST /organizations']

test('if any single query fails, the response is declared, and nothing changes', async t => {
  const routes = Object.keys(CALLS).filter(route => !CHANGE_AT_ONCE.includes(route))
  await failEachQuery(t, [reportedOnce('out of memory', '53200')], routes)
})
