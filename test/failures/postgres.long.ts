import { test } from 'tap'
import { failEachQuery } from './postgres.ts'
import { ENDED, reported, RESET, UNANSWERED } from './queries.ts'

test('whichever query of whichever operation fails, the reply is one that the OpenAPI document declares', async t => {
  await failEachQuery(t, [
    RESET,
    ENDED,
    UNANSWERED,
    reported('a table is missing', '42P01'),
    reported('a conflict', '40001')
  ])
})
