import type { Authenticate } from '../domain/keys/verdict/authenticator.ts'

/**
 * How long each token takes, in µs, where `together` of them come in one turn of the event loop. Throws where one of
 * them has another outcome than what is expected.
 */
export const microsecondsEach = async (
  tokens: readonly string[],
  authenticate: Authenticate,
  expected: string,
  together = 1
): Promise<number> => {
  let asExpected = 0
  const start = performance.now()
  for (let first = 0; first < tokens.length; first += together) {
    const verdicts = await Promise.all(tokens.slice(first, first + together).map(authenticate))
    for (const verdict of verdicts) {
      if ((verdict.ok ? 'ok' : verdict.reason) === expected) asExpected++
    }
  }
  const milliseconds = performance.now() - start
  if (asExpected !== tokens.length) {
    throw new Error(`${tokens.length - asExpected} tokens had another outcome than ${expected}`)
  }
  return (milliseconds * 1000) / tokens.length
}

// In one piece of memory, as it comes off the wire; a text put together is not, until it is first read.
export const asIfReceived = (token: string): string => Buffer.from(token).toString()
