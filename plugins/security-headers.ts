import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

/** Security headers for an API: nothing it answers is a page, so a page made of it may load and frame nothing. */
export default fp(async fastify => {
  await fastify.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    frameguard: { action: 'deny' }
  })
}, { name: 'security-headers' })
