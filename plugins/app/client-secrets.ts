import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ConfigError } from '../../config/read.ts'
import { SecretNotShared } from '../../domain/errors.ts'
import { admitProcess, areMutual, generationsOf } from '../../domain/keys/token/secrets.ts'
import type { OwnGenerations } from '../../domain/keys/token/secrets.ts'

/**
 * Refuses a start with secrets that are not those of the database: a token that one process makes must be one that
 * every other opens. Throws a ConfigError.
 */
export default fp(
  async fastify => {
    const { CLIENT_SECRET, CLIENT_SECRET_PREVIOUS, ALLOW_NEW_SECRET: allowNew } = fastify.config
    const { storage, log } = fastify
    const generations = generationsOf(CLIENT_SECRET, CLIENT_SECRET_PREVIOUS)
    if (allowNew) {
      log.warn('ALLOW_NEW_SECRET is true, so that any secret is accepted at this start: remove it before the next one')
    }
    try {
      await storage.keys.write(async tx => await admitProcess(tx, { generations, allowNew }))
    } catch (error) {
      throw error instanceof SecretNotShared ? new ConfigError(error.message) : error
    }
    // So that a node is listed from its start on. If this fails, its first request tries again.
    await Promise.allSettled([storage.keyLookup.barrier()])
    await warnOfOtherSecrets(fastify, generations)
  },
  { name: 'client-secrets', dependencies: ['config', 'database'] }
)

/** Warns of nodes that refuse the tokens of this one, or whose tokens this one refuses. */
const warnOfOtherSecrets = async ({ storage, log }: FastifyInstance, own: OwnGenerations): Promise<void> => {
  const others = (await storage.nodes()).filter(
    ({ generations, evictedAt }) => evictedAt === null && !areMutual(own, generations)
  )
  if (others.length === 0) return
  log.warn(
    { generations: own, nodes: others.map(({ name, generations }) => ({ name, generations })) },
    'these nodes refuse tokens that this one makes, or this one refuses theirs: give all of them the same secrets; ' +
      'until then, no token is made that a node would refuse'
  )
}
