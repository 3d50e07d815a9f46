import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bearerToken, createVerifier } from 'trivial-api/verifier'

const { BASE: url, KEY_ACCESS_TOKEN: keyAccessToken, PORT: port } = process.env
const { verify } = createVerifier({ url, keyAccessToken, service: 'orders' })
const orders = async ({ headers, socket: { remoteAddress: address } }, json) => {
  const { ok, key, reason } = await verify(bearerToken(headers.authorization), { scopes: ['orders:read'], address })
  return ok ? json({ key: key.name }) : json({}, reason === 'inactive' ? 401 : 403, { 'www-authenticate': 'Bearer' })
}
serve({ fetch: new Hono().get('/', ({ env, json }) => orders(env.incoming, json)).fetch, port })
