import accepts from '@fastify/accepts'
import fp from 'fastify-plugin'

/** `request.accepts()`: which media types a client takes. */
export default fp(async fastify => { await fastify.register(accepts) }, { name: 'negotiation' })
