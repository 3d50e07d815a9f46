import fp from 'fastify-plugin'
import { BadRequest, BadUrl, ExpectationFailed, HeadersTooLarge, RequestTimeout } from '../../http/errors.ts'
import { mergeReplies, problemReplies } from '../../http/replies.ts'
import { formProblem } from '../../http/request-form.ts'
import { createRangeCheck } from '../../net/addresses.ts'
import { trustedPart } from '../../net/forwarded.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns whether an address belongs to a proxy in `TRUST_PROXY`. */
    isTrustedProxy: (address: string) => boolean
  }
}

const problems = problemReplies(BadUrl, BadRequest, RequestTimeout, ExpectationFailed, HeadersTooLarge)

/** Refuses malformed and ambiguous requests, even if no route matches, before other hooks process them. */
export default fp(
  async fastify => {
    const { TRUST_PROXY } = fastify.config
    // Fastify compares addresses literally, so it wouldn't trust a proxy if the address includes a port.
    const isTrusted = createRangeCheck(TRUST_PROXY)
    fastify.decorate('isTrustedProxy', isTrusted)
    if (TRUST_PROXY.length > 0) {
      fastify.addHook('onRequest', ({ raw: { headers } }, _reply, done) => {
        const { 'x-forwarded-for': forwarded } = headers
        if (typeof forwarded === 'string') headers['x-forwarded-for'] = trustedPart(forwarded, isTrusted)
        done()
      })
    }
    fastify.addHook('onRequest', (request, _reply, done) => {
      done(formProblem(request))
    })
    fastify.addHook('onRoute', route => {
      const { schema } = route
      if (schema?.response === undefined) return
      route.schema = { ...schema, response: mergeReplies(problems, schema.response as Record<number, object>) }
    })
  },
  { name: 'request-form', dependencies: ['config', 'security-headers'] }
)
