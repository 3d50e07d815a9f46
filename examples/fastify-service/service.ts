import Fastify from 'fastify'
import clientKeyAuth, { createClientKeys, createMemoryStore, keyPrincipalOf } from 'trivial-api/client-key-auth'

const { CLIENT_SECRET: secret = '', PORT: port = '3000' } = process.env
const keys = createClientKeys({ store: createMemoryStore(), secret, scopes: ['reports:read', 'reports:write'] })
const app = Fastify()
await app.register(clientKeyAuth, { keys })
const onRequest = app.requireClientKey
app.get('/reports', { onRequest, config: { scope: 'reports:read' } }, async req => [keyPrincipalOf(req).key.name])
const { keyAccessToken } = await keys.issue({ name: 'ledger', scopes: ['reports:read'] })
console.log(await app.listen({ port: Number(port) }), keyAccessToken)
