import { test } from 'tap'
import { findViolations } from './history.ts'
import type { TokenRequest, Change } from './history.ts'

const issued: Change = { begun: 0, acknowledged: 1, allows: true }
const revoked: Change = { begun: 10, acknowledged: 20, allows: false }
const unknown: Change = { ...revoked, acknowledged: Infinity }

const tokenRequest = (sent: number, replied: number, accepted: boolean): TokenRequest => ({
  sent,
  replied,
  node: 'n',
  accepted
})
const isWrong = (changes: Change[], request: TokenRequest): boolean =>
  findViolations({ changes, requests: [request] }).length > 0

test('a response that no possible state of the token explains is a violation', async t => {
  t.ok(isWrong([issued, revoked], tokenRequest(21, 22, true)))
  t.ok(isWrong([issued, unknown, { begun: 30, acknowledged: 40, allows: false }], tokenRequest(41, 42, true)))
  t.ok(isWrong([issued, revoked, { begun: 30, acknowledged: 40, allows: true }], tokenRequest(21, 29, true)))
  t.ok(
    isWrong([issued, revoked], tokenRequest(5, 9, false)),
    'the token was refused before its revocation was requested'
  )
  t.ok(isWrong([issued, revoked, { begun: 30, acknowledged: 40, allows: true }], tokenRequest(41, 42, false)))
})

test('a request that may have been processed before or after a change is not a violation', async t => {
  for (const accepted of [true, false]) {
    t.notOk(isWrong([issued, revoked], tokenRequest(9, 11, accepted)), 'the change was requested before the response')
    t.notOk(
      isWrong([issued, revoked], tokenRequest(19, 50, accepted)),
      'the request was sent before the change was acknowledged'
    )
    t.notOk(isWrong([issued, unknown], tokenRequest(100, 101, accepted)), 'the outcome of the change is unknown')
    t.notOk(isWrong([issued, revoked, { begun: 30, acknowledged: 40, allows: true }], tokenRequest(35, 36, accepted)))
  }
  t.notOk(isWrong([issued, revoked], tokenRequest(21, 22, false)))
  t.notOk(isWrong([issued, revoked], tokenRequest(5, 9, true)))
})
