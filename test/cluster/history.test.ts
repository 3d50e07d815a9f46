import { test } from 'tap'
import { violationsOf } from './history.ts'
import type { Asked, Change } from './history.ts'

const issued: Change = { begun: 0, acknowledged: 1, allows: true }
const revoked: Change = { begun: 10, acknowledged: 20, allows: false }
const unknown: Change = { ...revoked, acknowledged: Infinity }

const asked = (sent: number, answered: number, accepted: boolean): Asked => ({ sent, answered, node: 'n', accepted })
const isWrong = (changes: Change[], request: Asked): boolean =>
  violationsOf({ changes, requests: [request] }).length > 0

test('who was sent after a restricting change was acknowledged and got in is found', async t => {
  t.ok(isWrong([issued, revoked], asked(21, 22, true)))
  t.ok(isWrong([issued, unknown, { begun: 30, acknowledged: 40, allows: false }], asked(41, 42, true)))
  t.ok(isWrong([issued, revoked, { begun: 30, acknowledged: 40, allows: true }], asked(21, 29, true)))
  t.ok(isWrong([issued, revoked], asked(5, 9, false)), 'and so is who was refused before it was asked for')
  t.ok(isWrong([issued, revoked, { begun: 30, acknowledged: 40, allows: true }], asked(41, 42, false)))
})

test('who may have been first is not', async t => {
  for (const accepted of [true, false]) {
    t.notOk(isWrong([issued, revoked], asked(9, 11, accepted)), 'asked for before the answer')
    t.notOk(isWrong([issued, revoked], asked(19, 50, accepted)), 'sent before it was acknowledged')
    t.notOk(isWrong([issued, unknown], asked(100, 101, accepted)), 'of unknown outcome')
    t.notOk(isWrong([issued, revoked, { begun: 30, acknowledged: 40, allows: true }], asked(35, 36, accepted)))
  }
  t.notOk(isWrong([issued, revoked], asked(21, 22, false)))
  t.notOk(isWrong([issued, revoked], asked(5, 9, true)))
})
