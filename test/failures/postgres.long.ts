import { test } from 'tap'
import { CALLS } from '../domain/access/matrix/calls.ts'
import { failEachQuery } from './postgres.ts'
import { ENDED, reported, reportedOnce, RESET, UNANSWERED } from './queries.ts'

test('whichever query of whichever operation fails, the reply is one that the OpenAPI document declares', async t => {
  await failEachQuery(t, [RESET, ENDED, UNANSWERED, reported('no table', '42P01'), reported('a conflict', '40001')])
})

/** Their first statement is a change already, and is sent together with the BEGIN that fails. */
const CHANGE_AT_ONCE = ['DELETE /auth/sign_out', 'DELETE /profile/sessions/{id}', 'POST /organizations']

test('whichever query fails alone, the reply is declared, and nothing is changed', async t => {
  const routes = Object.keys(CALLS).filter(route => !CHANGE_AT_ONCE.includes(route))
  await failEachQuery(t, [reportedOnce('out of memory', '53200')], routes)
})
