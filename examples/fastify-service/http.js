import { createServer } from 'node:http'
import { createClientKeys, createMemoryStore } from 'trivial-api/client-key-auth'

const { CLIENT_SECRET: secret, PORT: port = '3000' } = process.env
const keys = createClientKeys({ store: createMemoryStore(), secret, scopes: ['reports:read'] })
const STATUS = { address_not_allowed: 403, insufficient_scope: 403, rate_limited: 429, limit_undecided: 503 }

const server = createServer(async ({ headers, socket }, response) => {
  try {
    const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? []
    const verdict = await keys.verify(token, { scopes: ['reports:read'], address: socket.remoteAddress })
    if (verdict.ok) response.end(JSON.stringify([verdict.key.name]))
    else response.writeHead(STATUS[verdict.reason] ?? 401, { 'www-authenticate': 'Bearer realm="reports"' }).end()
  } catch {
    response.writeHead(503).end()
  }
})
const { keyAccessToken } = await keys.issue({ name: 'ledger' })
server.listen(Number(port), () => console.log(`http://localhost:${server.address().port}`, keyAccessToken))
