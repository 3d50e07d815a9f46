const STATUS = 503

/**
 * The service couldn't be asked, or its reply can't be used, so the request must be refused. Express, Fastify and Koa
 * reply with `statusCode`, and Hono with `getResponse`. Neither the message nor the cause contains a token.
 */
export class VerifierUnavailable extends Error {
  override readonly name = 'VerifierUnavailable'
  readonly code = 'VERIFIER_UNAVAILABLE'
  readonly statusCode = STATUS

  readonly getResponse = (): Response => new Response(null, { status: STATUS })
}
