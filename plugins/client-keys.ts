import fp from 'fastify-plugin'
import { listEntries } from '../config/list.ts'
import { needsLegacyToken } from '../keys/allow-list.ts'
import clientKeyAuth from './client-key-auth.ts'

/** Client keys as this service is configured to accept them. */
export default fp(async fastify => {
  const { CLIENT_SECRET, CLIENT_SECRET_PREVIOUS, CLIENT_KEYS, CLIENT_KEY_JWT } = fastify.config
  const allowList = listEntries(CLIENT_KEYS)

  if (allowList.length === 0) {
    fastify.log.warn('CLIENT_KEYS is empty, so nobody gets in: npm run key:issue makes a key')
  }
  const unreachable = CLIENT_KEY_JWT ? 0 : allowList.filter(needsLegacyToken).length
  if (unreachable > 0) {
    fastify.log.warn({ entries: unreachable }, 'some entries of CLIENT_KEYS are no key_id of 32 hexadecimal digits; only a JWT can present them, and CLIENT_KEY_JWT is false')
  }

  await fastify.register(clientKeyAuth, {
    secret: CLIENT_SECRET,
    previousSecrets: listEntries(CLIENT_SECRET_PREVIOUS),
    allowList,
    acceptLegacyTokens: CLIENT_KEY_JWT
  })
}, { name: 'client-keys', dependencies: ['config'] })
