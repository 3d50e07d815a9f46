import { test } from 'tap'
import { readTimestamp, toSeconds } from '../../http/timestamps.ts'

const NOW = Date.parse('2026-03-01T12:00:00.000Z')

test('a time is a timestamp with a time zone, a day, or a duration from now', async t => {
  for (const [text, ahead, ago] of [
    ['2027-01-31T12:00:00Z', '2027-01-31T12:00:00.000Z'],
    ['2027-01-31T12:00:00.123456789+01:00', '2027-01-31T11:00:00.123Z'],
    ['2027-01-31t12:00:00z', '2027-01-31T12:00:00.000Z'],
    ['2027-01-31T12:00:00.5+0130', '2027-01-31T10:30:00.500Z'],
    ['2027-01-31T12:00:00-23:59', '2027-02-01T11:59:00.000Z'],
    ['2027-01-31T12:00:00.123456789012345Z', '2027-01-31T12:00:00.123Z'],
    ['2027-01-31', '2027-01-31T00:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['0s', '2026-03-01T12:00:00.000Z', '2026-03-01T12:00:00.000Z'],
    ['30s', '2026-03-01T12:00:30.000Z', '2026-03-01T11:59:30.000Z'],
    ['15m', '2026-03-01T12:15:00.000Z', '2026-03-01T11:45:00.000Z'],
    ['12h', '2026-03-02T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['14d', '2026-03-15T12:00:00.000Z', '2026-02-15T12:00:00.000Z'],
    ['2w', '2026-03-15T12:00:00.000Z', '2026-02-15T12:00:00.000Z'],
    ['1y', '2027-03-01T12:00:00.000Z', '2025-03-01T12:00:00.000Z']
  ] as const) {
    t.same(readTimestamp(text, 'ahead', NOW), new Date(ahead), text)
    t.same(readTimestamp(text, 'ago', NOW), new Date(ago ?? ahead), text)
  }
})

test('an invalid time is rejected with a reason', async t => {
  const rule = /^must be a timestamp with a time zone, such as/
  const calendar = 'must be a date that exists, such as 2027-01-31'
  const hour = 'must have an hour from 00 to 23; the end of a day is 00:00:00 of the next day'
  const seconds = 'must have minutes and seconds, such as 2027-01-31T12:00:00Z'
  const zone = 'must end with a time zone: Z, or an offset such as +01:00'
  const minutes = 'must have minutes in its offset, such as +01:00'
  const week = 'must not be a week date; use a calendar date, such as 2027-01-31'
  const between = 'must have a T between date and time, such as 2027-01-31T12:00:00Z'
  const tooFar = 'is out of range: the year must be from 0000 to 9999'
  for (const [text, issue] of [
    ['', rule],
    ['tomorrow', rule],
    ['90', rule],
    ['d', rule],
    ['90 d', rule],
    ['-1d', rule],
    ['1.5d', rule],
    ['1D', rule],
    ['90dd', rule],
    ['P90D', rule],
    ['1000000000s', rule],
    ['2027-1-31', rule],
    ['+002027-01-31', rule],
    ['2027-031', rule],
    ['20270131T120000Z', rule],
    ['2027-02-29', calendar],
    ['2027-13-01', calendar],
    ['2027-00-10', calendar],
    ['2027-01-00', calendar],
    ['2027-02-31T00:00:00Z', calendar],
    ['2027-01-31T24:00:00Z', hour],
    ['2027-01-31T25:00:00Z', hour],
    ['2026-12-31T23:59:60Z', 'must not be a leap second; use 59 as the second'],
    ['2027-01-01T00:59:60+01:00', 'must not be a leap second; use 59 as the second'],
    ['2027-01-31T12:60:00Z', 'must have minutes and seconds from 00 to 59'],
    ['2027-01-31T12:00:61Z', 'must have minutes and seconds from 00 to 59'],
    ['2027-01-31T12:00:00+24:00', 'must have an offset from -23:59 to +23:59'],
    ['2027-01-31T12:00:00+12:60', 'must have an offset from -23:59 to +23:59'],
    ['2027-01-31T12Z', seconds],
    ['2027-01-31T12:00', seconds],
    ['2027-01-31T12:00Z', seconds],
    ['2027-01-31T12:00+01:00', seconds],
    ['2027-01-31T12:00:00', zone],
    ['2027-01-31t12:00:00.5', zone],
    ['2027-01-31T12:00:00+01', minutes],
    ['2027-01-31T12:00:00.123-01', minutes],
    ['2027-01-31T12:00:00 01:00', 'must have a sign before the offset; in a URL, encode + as %2B'],
    ['2027-01-31T12:00:00.5 0100', 'must have a sign before the offset; in a URL, encode + as %2B'],
    ['2027-01-31T12:00:00,5Z', 'must have a period before the fraction of a second, such as 2027-01-31T12:00:00.5Z'],
    ['2027-W05-7', week],
    ['2027W057T12:00:00Z', week],
    ['2027-01-31 12:00:00Z', between],
    ['2027-01-31_12:00:00Z', between],
    ['9999-12-31T23:59:59-12:00', tooFar],
    ['0000-01-01T00:00:00+12:00', tooFar],
    ['9000y', tooFar],
    ['999999999y', tooFar]
  ] as const) {
    for (const direction of ['ahead', 'ago'] as const) {
      const read = readTimestamp(text, direction, NOW)
      t.match(read, issue, `${text} ${direction}`)
    }
  }
})

test('a duration is a number of seconds, and a year has 365 days', async t => {
  t.same(['0s', '90s', '2m', '1h', '1d', '1w', '1y', '2027-01-31', 'x', ''].map(toSeconds), [
    0,
    90,
    120,
    3600,
    86_400,
    604_800,
    31_536_000,
    null,
    null,
    null
  ])
})
