import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { collect, listening, root, temporaryFolder, world } from '../helper.ts'

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

interface Target {
  port: number
  token: string
}

/** Runs an example as described in its first lines. */
const run = async (t: Test, program: string, example: string, { port, token }: Target): Promise<Ended> => {
  // tap uses NODE_OPTIONS to add its loaders to each Node.js process that is started.
  const child = spawn('sh', ['-c', 'unset NODE_OPTIONS; exec "$0" "$@"', program, join(root, 'examples', example)], {
    cwd: temporaryFolder(t),
    env: { PATH: process.env['PATH'], KEY_ACCESS_TOKEN: token, BASE: `http://127.0.0.1:${port}` }
  })
  return await collect(child).ended
}

const EXAMPLES = [
  [process.execPath, 'fetch.js'],
  ['sh', 'curl.sh']
] as const

for (const [program, example] of EXAMPLES) {
  test(`${example} lists every app, page by page`, async t => {
    const { fastify, key, call } = await world(t)
    const port = await listening(fastify)
    const urls: string[] = []
    fastify.server.on('request', ({ url }: IncomingMessage) => {
      urls.push(String(url))
    })
    const { code, stdout, stderr } = await run(t, program, example, { port, token: key.keyAccessToken })
    t.same([code, stderr], [0, ''])
    t.match(urls, [/^\/apps\?limit=10$/, /^\/apps\?limit=10&after=\w+$/, /^\/apps\?limit=10&after=\w+$/])
    t.equal(urls.length, 3)

    const apps = (await call('GET', '/apps')).json as { name: string; descriptive_name: string }[]
    const lines = stdout.trimEnd().split('\n')
    t.same([lines.length, apps.length], [24, 24])
    for (const [index, { name, descriptive_name: title }] of apps.entries()) {
      t.match(lines[index], name)
      t.match(lines[index], title)
    }
  })

  test(`${example} prints the reason for a refusal`, async t => {
    const { fastify, call } = await world(t)
    const port = await listening(fastify)
    const issued = await call('POST', '/client_keys', { name: 'audits only', scopes: ['audits:read'] })
    const token = String(issued.json.key_access_token)
    const { detail } = (await call('GET', '/apps', undefined, { authorization: `Bearer ${token}` })).json
    const forbidden = await run(t, program, example, { port, token })
    t.same(forbidden, { code: 1, stdout: '', stderr: `403: ${detail}\n` })
    t.match(await run(t, program, example, { port, token: 'wrong' }), {
      code: 1,
      stdout: '',
      stderr: /^401: [A-Z].+\n$/
    })
  })

  test(`${example} prints the status code of a response that is not from the service`, async t => {
    const proxy = createServer((_, response) => {
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
    }).listen(0, '127.0.0.1')
    t.teardown(() => proxy.close())
    await once(proxy, 'listening')
    const { port } = proxy.address() as AddressInfo
    const { code, stdout, stderr } = await run(t, program, example, { port, token: 'unused' })
    t.same([code, stdout], [1, ''])
    t.match(stderr, /^502:/)
  })
}
