/**
 * The service couldn't be asked, or its reply can't be used, so the request must be refused. `statusCode` is the status
 * for that, which Express and Fastify send. Neither the message nor the cause contains a token.
 */
export class VerifierUnavailable extends Error {
  override readonly name = 'VerifierUnavailable'
  readonly code = 'VERIFIER_UNAVAILABLE'
  readonly statusCode = 503
}
