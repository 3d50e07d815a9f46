import express from 'express'
import { bearerToken, createVerifier } from 'trivial-api/verifier'

const { BASE: url, KEY_ACCESS_TOKEN: keyAccessToken, PORT: port } = process.env
const { verify } = createVerifier({ url, keyAccessToken, service: 'orders' })
const app = express().get('/', async ({ headers, ip: address }, response) => {
  const { ok, key, reason } = await verify(bearerToken(headers.authorization), { scopes: ['orders:read'], address })
  if (ok) response.json({ key: key.name })
  else response.set('WWW-Authenticate', 'Bearer').sendStatus(reason === 'inactive' ? 401 : 403)
})
app.listen(port)
