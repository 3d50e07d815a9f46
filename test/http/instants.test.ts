import { test } from 'tap'
import { readInstant, toSeconds } from '../../http/instants.ts'

const NOW = Date.parse('2026-03-01T12:00:00.000Z')

test('a time is an instant with its time zone, a day, or a duration from now', async t => {
  for (const [text, ahead, ago] of [
    ['2027-01-31T12:00:00Z', '2027-01-31T12:00:00.000Z'],
    ['2027-01-31T12:00:00.123456789+01:00', '2027-01-31T11:00:00.123Z'],
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
    t.equal(readInstant(text, 'ahead', NOW)?.toISOString(), ahead, text)
    t.equal(readInstant(text, 'ago', NOW)?.toISOString(), ago ?? ahead, text)
  }
})

test('what is no time is none: other forms, days that no calendar has, years beyond four digits', async t => {
  for (const text of [
    '',
    'tomorrow',
    '90',
    'd',
    '90 d',
    '-1d',
    '1.5d',
    '1D',
    '90dd',
    '1000000000s',
    '2027-1-31',
    '2027-02-29',
    '2027-02-31T00:00:00Z',
    '2027-13-01',
    '2027-01-31T25:00:00Z',
    '2027-01-31T12:00:00',
    '2027-01-31 12:00:00Z',
    '9999-12-31T23:59:59-12:00',
    '0000-01-01T00:00:00+12:00',
    '9000y',
    '999999999y'
  ]) {
    for (const direction of ['ahead', 'ago'] as const) t.equal(readInstant(text, direction, NOW), null, text)
  }
})

test('a duration is a number of seconds, and a year 365 days', async t => {
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
