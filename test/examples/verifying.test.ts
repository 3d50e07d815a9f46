import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { test } from 'tap'
import type { Test } from 'tap'
import {
  active,
  batchServer,
  httpServer,
  INACTIVE,
  introspectionServer,
  repeatingRefs,
  sendJson,
  TOKEN
} from '../client/service.ts'
import type { Entry } from '../client/service.ts'
import { collect, root, spawnProgram, temporaryFolder } from '../helper.ts'
import { freePort, hasProgram } from '../services.ts'

const FOLDER = join(root, 'examples/verifying')

/** The examples, and the programs that run them. */
const PROGRAMS = {
  'http.js': process.execPath,
  'express.js': process.execPath,
  'hono.js': process.execPath,
  'fastify.js': process.execPath,
  'verifier.py': 'python3',
  'verifier.go': 'go'
} as const

/** Returns the command that runs an example. Compiles it if it is in Go. */
const commandOf = async (t: Test, name: keyof typeof PROGRAMS): Promise<string[]> => {
  const [program, source] = [PROGRAMS[name], join(FOLDER, name)]
  if (program !== 'go') return [program, source]
  const folder = temporaryFolder(t)
  const compiled = join(folder, 'verifier')
  const built = await collect(spawnProgram([program, 'build', '-o', compiled, source], root, { HOME: folder })).ended
  t.equal(built.code, 0, built.stderr)
  return [compiled]
}

const isListening = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Starts a program that asks the service at the given URL. Returns a function that calls it. */
const start = async (t: Test, command: readonly string[], url: string) => {
  const port = await freePort()
  const env = { BASE: url, KEY_ACCESS_TOKEN: TOKEN, PORT: String(port), NODE_ENV: 'production' }
  const child = spawnProgram(command, root, env)
  const { ended, output } = collect(child)
  t.teardown(async () => {
    child.kill()
    await ended
  })
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`the example ended: ${JSON.stringify(output())}`)
    await setTimeout(20)
  }
  return async (authorization?: string) =>
    await fetch(`http://127.0.0.1:${port}/`, { headers: authorization === undefined ? {} : { authorization } })
}

const verdictOf = ({ token, scope }: Entry): object => {
  if (token === 'narrow') return { active: false, error: 'insufficient_scope' }
  return token === 'good' && scope === 'orders:read' ? active({ scope }) : INACTIVE
}

for (const name of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) {
  test(`${name} accepts only keys that the service accepts`, async t => {
    if (!hasProgram(t, PROGRAMS[name], false)) return
    const { url, received } = await introspectionServer(t, verdictOf)
    const get = await start(t, await commandOf(t, name), url)
    const good = await get('Bearer good')
    t.same([good.status, await good.json()], [200, { key: 'ledger' }])
    t.match(received[0]?.entries, [{ token: 'good', scope: 'orders:read', ip: '127.0.0.1' }])
    t.equal((await get('bearer good')).status, 200, 'the name of the scheme is case-insensitive')
    t.equal((await get('Bearer narrow')).status, 403)
    const count = received.length
    for (const bad of [undefined, '', 'Bearer', 'Basic good', 'Bearer good x', 'Bearer good"', 'Bearer =']) {
      const refused = await get(bad)
      t.same([refused.status, refused.headers.get('www-authenticate')?.slice(0, 6)], [401, 'Bearer'], String(bad))
    }
    t.equal(received.length, count, 'what is no token is refused without a request')
    const revoked = await get('Bearer revoked')
    t.equal(revoked.status, 401)
    t.equal(new Set(received.map(({ request }) => request.socket.remotePort)).size <= 2, true, 'connections are kept')
  })

  test(`${name} accepts nothing if the service can't be asked`, async t => {
    if (!hasProgram(t, PROGRAMS[name], false)) return
    const replies = [
      [500, [active()]],
      [302, [active()]],
      [200, []],
      [200, {}],
      [200, [{}]],
      [200, [{ ...active(), active: 'true' }]],
      [200, [active(), active()]]
    ] as const
    let next = 0
    const url = await batchServer(t, (sent, response) => {
      const [status, body] = replies[next++] ?? []
      if (status === undefined) response.destroy()
      else sendJson(response.setHeader('location', '/'), Array.isArray(body) ? repeatingRefs(sent, body) : body, status)
    })
    const command = await commandOf(t, name)
    const get = await start(t, command, url)
    for (const reply of replies) t.equal((await get('Bearer good')).status, 503, JSON.stringify(reply))
    t.equal((await get('Bearer good')).status, 503, 'the connection closes')
    const none = await start(t, command, `http://127.0.0.1:${await freePort()}`)
    t.equal((await none('Bearer good')).status, 503, 'nothing listens')
  })
}

test('an example for a framework has at most ten lines', async t => {
  for (const name of readdirSync(FOLDER).filter(name => name.endsWith('.js'))) {
    const lines = readFileSync(join(FOLDER, name), 'utf8')
      .split('\n')
      .filter(line => line !== '')
    t.ok(lines.length <= 10, `${name} has ${lines.length} lines`)
  }
})

test('docs/verifying.md shows the examples unchanged', async t => {
  const doc = readFileSync(join(root, 'docs/verifying.md'), 'utf8')
  for (const name of ['express.js', 'fastify.js']) {
    t.ok(doc.includes(`\`\`\`js\n${readFileSync(join(FOLDER, name), 'utf8')}\`\`\``), name)
  }
  t.equal(doc.match(/```[jt]s/g)?.length, 3, 'two examples, and a declaration of types')
})

/** Runs curl.sh with a token on standard input. */
const curl = async (t: Test, url: string, token: string): Promise<object> => {
  const child = spawnProgram(['sh', join(FOLDER, 'curl.sh'), 'orders:read'], temporaryFolder(t), {
    BASE: url,
    KEY_ACCESS_TOKEN: TOKEN
  })
  child.stdin.end(token)
  const { code, stdout } = await collect(child).ended
  return { code, stdout }
}

test('curl.sh distinguishes active tokens, inactive ones, and failures', async t => {
  let reply: unknown = active()
  let status = 200
  const bodies: string[] = []
  const url = await httpServer(t, (request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => bodies.push(text))
    request.on('end', () => {
      sendJson(response, reply, status)
    })
  })
  t.same(await curl(t, url, 'good'), { code: 0, stdout: `${JSON.stringify(reply)}\n` })
  t.same(Object.fromEntries(new URLSearchParams(bodies.splice(0).join(''))), { scope: 'orders:read', token: 'good' })
  for (const wrong of ['', 'a b', 'a"\nurl = "http://127.0.0.1:1', '\nx', "a'", 'é']) {
    t.same(await curl(t, url, wrong), { code: 1, stdout: '' }, wrong)
  }
  t.equal(bodies.length, 0)
  reply = INACTIVE
  t.match(await curl(t, url, 'revoked\n'), { code: 1 })
  reply = [active()]
  t.match(await curl(t, url, 'good'), { code: 2 })
  status = 503
  t.same(await curl(t, url, 'good'), { code: 2, stdout: '' })
  t.same(await curl(t, `http://127.0.0.1:${await freePort()}`, 'good'), { code: 2, stdout: '' })
})
