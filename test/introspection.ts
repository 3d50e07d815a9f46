import type { FastifyInstance } from 'fastify'
import type { InjectOptions } from 'fastify'
import type { WantedKey } from '../domain/keys/client-key.ts'
import { ALL_KEYS } from '../domain/keys/freshness/lease-store.ts'
import type { Issued } from '../domain/keys/token/token.ts'
import type { Service } from '../domain/services/service.ts'
import type { ServiceStore } from '../domain/services/store.ts'
import { operator } from './helper.ts'
import type { World } from './helper.ts'

const AT = new Date('2026-02-01T00:00:00.000Z')

/** Stores a service with scopes such as `read`. */
export const addService = async (
  store: Pick<ServiceStore, 'write'>,
  name: string,
  scopes: readonly string[] = ['read', 'write'],
  audience: string | null = null
): Promise<void> => {
  const service: Service = {
    name,
    description: null,
    audience,
    scopes: scopes.map(scope => ({ name: `${name}:${scope}`, description: null })),
    createdAt: AT,
    updatedAt: AT
  }
  await store.write(async ({ keys, services }) => {
    await keys.advanceRevision(ALL_KEYS)
    await services.insert(service)
  })
}

export interface FormReply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly json: ReturnType<typeof JSON.parse>
}

export const FORM = 'application/x-www-form-urlencoded'

/** Creates functions that introspect with the given credential. */
export const introspector = ({ fastify }: Pick<World, 'fastify'>, authorization: string) => {
  const send = async (options: InjectOptions): Promise<FormReply> => {
    const { statusCode, headers, payload } = await fastify.inject({ method: 'POST', url: '/introspect', ...options })
    return { status: statusCode, headers, text: payload, json: JSON.parse(payload) as unknown }
  }
  return {
    /** Sends a form, or a body with another media type. */
    form: async (payload: string, headers: Readonly<Record<string, string>> = {}) =>
      await send({ payload, headers: { authorization, 'content-type': FORM, ...headers } }),
    ask: async (token: string, more: Readonly<Record<string, string>> = {}) =>
      await send({
        payload: new URLSearchParams({ token, ...more }).toString(),
        headers: { authorization, 'content-type': FORM }
      }),
    batch: async (entries: unknown) =>
      await send({ url: '/introspect/batch', payload: entries as object, headers: { authorization } })
  }
}

/** Issues a key. */
export const issueKey = async (
  { clientKeys }: Pick<FastifyInstance, 'clientKeys'>,
  name: string,
  wanted: Partial<WantedKey> = {}
): Promise<Issued> => await clientKeys.issue({ name, ...wanted }, operator)

/** A world with the services orders and ledger, and callers for both together and for one of them. */
export const withServices = async (made: World) => {
  const { fastify } = made
  await addService(fastify.storage.keys, 'orders', ['read', 'refunds:write'], 'https://orders.example.com')
  await addService(fastify.storage.keys, 'ledger', ['read'], 'https://ledger.example.com')
  const caller = async (name: string, ...scopes: string[]) => {
    const issued = await issueKey(fastify, name, { scopes })
    return { ...issued, ...introspector(made, `Bearer ${issued.keyAccessToken}`) }
  }
  return {
    issue: async (name: string, wanted: Partial<WantedKey> = {}) => await issueKey(fastify, name, wanted),
    all: await caller('asks for all', 'tokens:introspect'),
    orders: await caller('asks for orders', 'tokens:introspect:orders'),
    ledger: await caller('asks for the ledger', 'tokens:introspect:ledger'),
    caller
  }
}
