import { createServer } from 'node:http'
import { bearerToken, createVerifier } from 'trivial-api/verifier'

const { BASE: url, KEY_ACCESS_TOKEN: keyAccessToken, PORT: port } = process.env
const { verify } = createVerifier({ url, keyAccessToken, service: 'orders' })
const handle = async ({ headers, socket: { remoteAddress: address } }, response) => {
  const { ok, key, reason } = await verify(bearerToken(headers.authorization), { scopes: ['orders:read'], address })
  if (ok) response.end(JSON.stringify({ key: key.name }))
  else response.writeHead(reason === 'inactive' ? 401 : 403, { 'www-authenticate': 'Bearer' }).end()
}
createServer((request, response) => handle(request, response).catch(() => response.writeHead(503).end())).listen(port)
