import fp from 'fastify-plugin'
import { needsLegacyToken } from '../../domain/keys/allow-list.ts'
import { createEvidence } from '../../domain/keys/evidence.ts'
import type { Evidence } from '../../domain/keys/evidence.ts'
import { createKeyRegistry } from '../../domain/keys/registry.ts'
import type { KeyRegistry } from '../../domain/keys/registry.ts'
import { createTokenSealer } from '../../domain/keys/token.ts'
import clientKeyAuth from './client-key-auth.ts'
import clientKeyPolicy from './client-key-policy.ts'

declare module 'fastify' {
  interface FastifyInstance {
    clientKeys: KeyRegistry
    /** What is seen of the use of keys. */
    keyEvidence: Evidence
  }
}

/** Client keys as this service is configured to accept them, those of the environment and those of the database. */
export default fp(
  async fastify => {
    const {
      CLIENT_SECRET,
      CLIENT_SECRET_PREVIOUS: previousSecrets,
      CLIENT_KEYS: allowList,
      CLIENT_KEY_JWT
    } = fastify.config
    const store = fastify.stores.clientKeys

    const unreachable = CLIENT_KEY_JWT ? 0 : allowList.filter(needsLegacyToken).length
    if (unreachable > 0) {
      fastify.log.warn(
        { entries: unreachable },
        'some entries of CLIENT_KEYS are no key_id of 32 hexadecimal digits; only a JWT can present them, and CLIENT_KEY_JWT is false'
      )
    }

    const registry = createKeyRegistry({
      store,
      sealer: createTokenSealer(CLIENT_SECRET, previousSecrets),
      secrets: [CLIENT_SECRET, ...previousSecrets],
      allowList
    })
    const orphans = await registry.orphans()
    if (orphans.length > 0) {
      fastify.log.warn(
        { generations: orphans },
        'good tokens depend on secrets that are not configured, and are refused: put the secrets into CLIENT_SECRET_PREVIOUS, or rotate the keys; npm run key:secrets tells more'
      )
    }
    if (allowList.length === 0 && !(await registry.list({ revoked: false }, 1)).keys.length) {
      fastify.log.warn('there is no client key, so nobody gets in: npm run key:issue -- --name <name> makes one')
    }

    const evidence = createEvidence({
      write: store.recordUses,
      onFailure: error => {
        fastify.log.warn({ err: error }, 'the use of keys could not be written down; it is kept for the next time')
      }
    })
    fastify.addHook('onClose', async () => {
      await evidence.flush()
    })

    fastify.decorate('clientKeys', registry)
    fastify.decorate('keyEvidence', evidence)
    await fastify.register(clientKeyAuth, {
      secret: CLIENT_SECRET,
      previousSecrets,
      allowList,
      lookup: store,
      acceptLegacyTokens: CLIENT_KEY_JWT,
      evidence
    })
    await fastify.register(clientKeyPolicy, { evidence })
  },
  { name: 'client-keys', dependencies: ['config', 'database'] }
)
