import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ConfigError } from '../../config/read.ts'
import { SecretNotShared } from '../../domain/errors.ts'
import { admitProcess, areMutual, generationsOf } from '../../domain/keys/token/secrets.ts'
import type { OwnGenerations } from '../../domain/keys/token/secrets.ts'

/**
 * Throws a ConfigError at startup if other processes that use the same database don't have the service's secrets. Every
 * process must be able to decrypt the tokens that the others create.
 */
export default fp(
  async fastify => {
    const { CLIENT_SECRET, CLIENT_SECRET_PREVIOUS, ALLOW_NEW_SECRET: allowNew } = fastify.config
    const { storage, log } = fastify
    const generations = generationsOf(CLIENT_SECRET, CLIENT_SECRET_PREVIOUS)
    if (allowNew) {
      log.warn('ALLOW_NEW_SECRET is true, so any secret is accepted; remove it before you restart the service')
    }
    try {
      await storage.keys.write(async tx => await admitProcess(tx, { generations, allowNew }))
    } catch (error) {
      throw error instanceof SecretNotShared ? new ConfigError(error.message) : error
    }
    // Registers the node, so that it's listed before its first request. If this fails, the first request tries again.
    await Promise.allSettled([storage.keyLookup.barrier()])
    await warnOfOtherSecrets(fastify, generations)
  },
  { name: 'client-secrets', dependencies: ['config', 'database'] }
)

/** Logs a warning if other nodes refuse this node's tokens, or if this node refuses theirs. */
const warnOfOtherSecrets = async ({ storage, log }: FastifyInstance, own: OwnGenerations): Promise<void> => {
  const others = (await storage.nodes()).filter(
    ({ generations, evictedAt }) => evictedAt === null && !areMutual(own, generations)
  )
  if (others.length === 0) return
  log.warn(
    { generations: own, nodes: others.map(({ name, generations }) => ({ name, generations })) },
    "these nodes refuse this node's tokens, or this node refuses theirs; give all nodes the same secrets; until " +
      'then, tokens that a node would refuse are not created'
  )
}
