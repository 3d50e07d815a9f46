import Fastify from 'fastify'
import clientKeyAuth from 'trivial-api/client-key-auth'
import { createVerifier } from 'trivial-api/verifier'

const { BASE: url, KEY_ACCESS_TOKEN: keyAccessToken, PORT: port } = process.env
const app = Fastify()
await app.register(clientKeyAuth, { verifier: createVerifier({ url, keyAccessToken, service: 'orders' }) })
const options = { onRequest: app.requireClientKey, config: { scope: 'orders:read' } }
app.get('/', options, async request => ({ key: request.principal.key.name }))
await app.listen({ port })
