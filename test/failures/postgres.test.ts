import { test } from 'tap'
import { emptyPostgres } from '../postgres.ts'
import { failEachQuery, speedUpClock } from './postgres.ts'
import { TERMINATED, reported, reportedOnce, RESET, REPLY_LOST } from './queries.ts'
import { emptyTables } from './rows.ts'

/** Errors of servers that are full, restarting, being restored, damaged or under maintenance. */
const REPORTED = [
  reported('too many connections', '53300'),
  reported('the disk is full', '53100'),
  reported('out of memory', '53200'),
  reported('a standby', '25006'),
  reported('a table is missing', '42P01'),
  reported('a column is missing', '42703'),
  reported('a function is missing', '42883'),
  reported('a unique index is missing', '42P10'),
  reported('permission denied', '42501'),
  reported('an operator terminates the connection', '57P01'),
  reported('an operator cancels the query', '57014'),
  reported('a conflict', '40001'),
  reported('a deadlock', '40P01'),
  reported('a damaged index', 'XX002'),
  reported('a trigger of an operator', 'P0001')
]

test('if the server reports an error for any query of a receipt, the response is a 503 that the document declares', async t => {
  await failEachQuery(t, REPORTED, ['GET /receipts/{id}'])
})

// For example, if BEGIN fails and the server continues, the following statements must not be committed one by one.
const OF_CHANGES = [
  RESET,
  TERMINATED,
  REPLY_LOST,
  reported('a table is missing', '42P01'),
  reportedOnce('out of memory once', '53200')
]

test('if any query of a change fails, the response is declared, and a change reported as failed is not stored', async t => {
  await failEachQuery(t, OF_CHANGES, ['PATCH /client_keys/{id}', 'PUT /profile'])
})

test('a table that lacks its row, as during a database restore, causes a 503', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  speedUpClock(t)
  await emptyTables(t, { DATABASE_URL: url, KEY_LEASE_MS: '0' }, ['audit_head'])
})
