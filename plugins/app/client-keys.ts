import type { FastifyInstance, FastifyRequest, preHandlerHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { keySettings } from '../../config/keys.ts'
import { logBackground } from '../../http/logging.ts'
import { createTokenCache } from '../../domain/keys/verdict/authenticator.ts'
import type { TokenCache } from '../../domain/keys/verdict/authenticator.ts'
import { INTROSPECTORS } from '../../domain/introspection/view.ts'
import type { Demand, KeyDemand } from '../../domain/keys/verdict/verifier.ts'
import { createUsageRecorder } from '../../domain/keys/usage/recorder.ts'
import type { UsageRecorder } from '../../domain/keys/usage/recorder.ts'
import type { Principal } from '../../domain/access/principal.ts'
import type { TokenRecord } from '../../domain/keys/client-key.ts'
import { createReceiptService } from '../../domain/keys/freshness/receipt-service.ts'
import type { ReceiptService } from '../../domain/keys/freshness/receipt-service.ts'
import type { Scope } from '../../domain/keys/policy/scopes.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { observed } from '../../http/metrics/observed-store.ts'
import { createUsageWriter } from '../../domain/keys/usage/writer.ts'
import clientKeyAuth, { createClientKeyHook } from './client-key-auth.ts'
import { needsLegacyToken } from '../../domain/keys/verdict/environment-keys.ts'

declare module 'fastify' {
  interface ClientKeyTypes {
    scope: Scope
    principal: Principal
  }

  interface FastifyContextConfig {
    /**
     * Whether the route introspects tokens. It then accepts keys with `tokens:introspect` and with
     * `tokens:introspect:<service>`. The token may also be sent as the password of HTTP Basic, with the key's id.
     */
    isIntrospection?: boolean
  }

  interface FastifyRequest {
    /** The id of the key that the requester sent along with its token, or null if it sent none. */
    clientId: string | null
  }

  interface FastifyInstance {
    clientKeys: KeyService
    receipts: ReceiptService
    /** Records key usage. */
    keyUsage: UsageRecorder
    /** The token cache, with its statistics. */
    tokenCache: TokenCache
    /** A `preHandler` hook that checks the client key again without counting the request. */
    recheckClientKey: preHandlerHookHandler
  }
}

/** Sets up client keys from the configuration: environment keys, and managed keys in the database. */
export default fp(
  async fastify => {
    const { storage } = fastify
    const usage = recorderOf(fastify)
    fastify.decorate('keyUsage', usage)
    fastify.decorate('tokenCache', createTokenCache())
    fastify.decorate('receipts', createReceiptService({ ...storage, confirm: storage.keys.confirm }))

    const keys = createKeyService({
      ...keySettings(fastify.config),
      store: observed(storage.keys, fastify.metrics),
      keyLookup: storage.keyLookup,
      counters: fastify.counters ?? undefined,
      cache: fastify.tokenCache,
      usage,
      background: logBackground(fastify.log)
    })
    await warnOfUnusableKeys(fastify, keys)
    fastify.decorate('clientKeys', keys)

    const { PUBLIC_URL } = fastify.config
    const options = {
      publicOrigin: PUBLIC_URL === '' ? null : new URL(PUBLIC_URL).origin,
      onRefusal: (reason: string): void => fastify.metrics?.countRefusal(reason)
    }
    fastify.decorateRequest('clientId', null)
    await fastify.register(clientKeyAuth, {
      verify: (token, demand, request) => keys.verify(token, withIntrospection(demand, request)),
      ...options
    })
    const recheck = await createClientKeyHook(
      fastify,
      (token, demand, request) => keys.recheck(token, withIntrospection(demand, request)),
      options
    )
    fastify.decorate('recheckClientKey', recheck)
  },
  { name: 'client-keys', dependencies: ['config', 'client-secrets', 'counting'] }
)

/** Returns the demand of a request, which is different for routes that introspect tokens. */
const withIntrospection = <R extends string>(
  demand: Demand<R>,
  { routeOptions: { config }, clientId }: FastifyRequest
): KeyDemand<R> =>
  config.isIntrospection === true ? { ...demand, scopes: INTROSPECTORS, keyId: clientId ?? undefined } : demand

/** Creates the usage recorder, which is flushed when the server closes. */
const recorderOf = (fastify: FastifyInstance): UsageRecorder => {
  const usage = createUsageRecorder({
    write: createUsageWriter(fastify.storage),
    now: fastify.storage.keyLookup.now,
    ...logBackground(fastify.log)
  })
  fastify.addHook('onClose', async () => {
    await usage.flush()
  })
  return usage
}

/** Logs warnings about keys that can't be used, and a warning if there are no keys. */
const warnOfUnusableKeys = async ({ config, log }: FastifyInstance, keys: KeyService): Promise<void> => {
  const { CLIENT_KEYS: allowList, CLIENT_KEY_JWT } = config
  const unreachable = CLIENT_KEY_JWT ? 0 : allowList.filter(needsLegacyToken).length
  if (unreachable > 0) {
    log.warn(
      { entries: unreachable },
      'some entries in CLIENT_KEYS are not key_ids of 32 hexadecimal digits; they work only in JWTs, but ' +
        'CLIENT_KEY_JWT is false'
    )
  }
  const orphans = await keys.orphans()
  if (orphans.length > 0) {
    log.warn(
      { generations: orphans },
      'active tokens are refused, because they depend on secrets that are not configured; add the secrets to ' +
        'CLIENT_SECRET_PREVIOUS, or rotate the keys; npm run key:secrets shows details'
    )
  }
  const outdated = (await keys.environmentKeys()).filter(({ tokens: [last] }) => wasLastTokenRefused(keys, last))
  if (outdated.length > 0) {
    log.warn(
      { keys: outdated.map(({ key }) => key.id) },
      'environment keys were last used with tokens that are now refused, because their secrets are not configured; ' +
        'add the secrets to CLIENT_SECRET_PREVIOUS, or replace the keys; npm run key:secrets shows details'
    )
  }
  if (allowList.length === 0 && !(await keys.list({ revoked: false }, { limit: 1 })).keys.length) {
    log.warn('there are no client keys, so every request is refused; npm run key:issue -- --name <name> issues one')
  }
}

const wasLastTokenRefused = (keys: KeyService, last: TokenRecord | undefined): boolean =>
  last !== undefined && keys.secretOf(last.generation) === null
