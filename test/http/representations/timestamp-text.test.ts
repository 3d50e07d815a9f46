import { test } from 'tap'
import { createTimestampWriter } from '../../../http/representations/timestamp-text.ts'

const DAY_MS = 86_400_000

test('a timestamp is formatted as toISOString formats it', async t => {
  const write = createTimestampWriter()
  const times = [
    0,
    1,
    999,
    1000,
    59_999,
    60_000,
    3_599_999,
    3_600_000,
    DAY_MS - 1,
    DAY_MS,
    -1,
    -DAY_MS,
    8.64e15,
    -8.64e15
  ]
  for (let i = 0; i < 1000; i++) times.push(Math.floor(Math.random() * 4e12))
  for (const time of times) t.equal(write(new Date(time)), new Date(time).toISOString())
  t.throws(() => write(new Date(NaN)), RangeError)
})

test('timestamps from more days than fit in the cache are formatted correctly', async t => {
  const write = createTimestampWriter()
  const wrong: number[] = []
  for (let round = 0; round < 2; round++) {
    for (let day = 0; day < 2500; day++) {
      const timestamp = new Date(day * DAY_MS + day)
      if (write(timestamp) !== timestamp.toISOString()) wrong.push(day)
    }
  }
  t.same(wrong, [])
})
