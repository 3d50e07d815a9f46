import type { Authenticate, Verdict } from '../keys/authenticator.ts'

/** How long each of so many tokens takes, in µs. Throws where one of them has another outcome than what is expected. */
export const microsecondsEach = (tokens: readonly string[], authenticate: Authenticate, expected: string): number => {
  let asExpected = 0
  const start = performance.now()
  for (const token of tokens) {
    const verdict = authenticate(token)
    if (outcomeOf(verdict) === expected) asExpected++
  }
  const milliseconds = performance.now() - start
  if (asExpected !== tokens.length) throw new Error(`${tokens.length - asExpected} tokens had another outcome than ${expected}`)
  return milliseconds * 1000 / tokens.length
}

const outcomeOf = (verdict: Verdict | Promise<Verdict>): string =>
  verdict instanceof Promise ? 'late' : verdict.ok ? 'ok' : verdict.reason

// In one piece of memory, as it comes off the wire; a text put together is not, until it is first read.
export const asIfReceived = (token: string): string => Buffer.from(token).toString()
