import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { test } from 'tap'
import type { Test } from 'tap'
import { VerifierUnavailable } from '../../exports/verifier.ts'
import type { RemoteVerifier } from '../../exports/verifier.ts'
import { collect, compiled, spawnNode, temporaryFolder } from '../helper.ts'
import { freePort } from '../services.ts'
import {
  active,
  batchServer,
  httpServer,
  httpsServer,
  INACTIVE,
  introspectionServer,
  repeatingRefs,
  sendJson,
  tcpServer,
  TOKEN
} from './service.ts'
import type { Entry } from './service.ts'
import { verifierOf } from './service.ts'

/** Checks that a call rejects, and that neither the message nor the cause contains a token. */
const unavailable = async (t: Test, { verify }: RemoteVerifier, message: RegExp): Promise<void> => {
  const error: unknown = await verify('their-token', { scopes: ['orders:read'] }).then(
    () => null,
    (error: unknown) => error
  )
  t.ok(error instanceof VerifierUnavailable)
  t.match(error, { name: 'VerifierUnavailable', code: 'VERIFIER_UNAVAILABLE', statusCode: 503, message })
  t.notMatch(inspect(error, { depth: 10 }), TOKEN)
  t.notMatch(inspect(error, { depth: 10 }), 'their-token')
}

const OK = 'HTTP/1.1 200 OK\r\n'
const verdictFor = (ref: string): string => JSON.stringify([active({ ref })])

/** Returns a whole reply to a batch of one entry, with the given `ref`. */
const replyTo = (ref: string): string => {
  const verdict = verdictFor(ref)
  return `${OK}content-length: ${verdict.length}\r\n\r\n${verdict}`
}

test('a service that does not run is an error', async t => {
  await unavailable(t, verifierOf(t, `http://127.0.0.1:${await freePort()}`), /can't be asked: ECONNREFUSED$/)
})

test('a service that never replies is an error after the time-out', async t => {
  const accepted = createServer(() => {}).listen(0, '127.0.0.1')
  t.teardown(() => accepted.close())
  await once(accepted, 'listening')
  const { port } = accepted.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  await unavailable(t, verifierOf(t, url, { timeoutMs: 50 }), /can't be asked: no reply within 50 ms$/)
})

test('half a reply is an error', async t => {
  for (const [reply, message] of [
    [(ref: string) => replyTo(ref).slice(0, -9), /ECONNRESET/],
    [() => OK, /ECONNRESET/],
    [() => `${OK}transfer-encoding: chunked\r\n\r\n5\r\n[{"ac`, /ECONNRESET/],
    [(ref: string) => `${OK}\r\n${verdictFor(ref).slice(0, -9)}`, /malformed/]
  ] as const) {
    const url = await tcpServer(t, (socket, _count, ref) => socket.end(reply(ref)))
    await unavailable(t, verifierOf(t, url), message)
  }
  const url = await tcpServer(t, (socket, _count, ref) => socket.write(replyTo(ref).slice(0, -9)))
  await unavailable(t, verifierOf(t, url, { timeoutMs: 50 }), /no reply within 50 ms/)
})

test('a reply with a wrong length is an error', async t => {
  const { length: right } = verdictFor(randomUUID())
  for (const length of [right - 1, 0, -1]) {
    const url = await tcpServer(t, (socket, _count, ref) =>
      socket.end(`${OK}content-length: ${length}\r\n\r\n${verdictFor(ref)}`)
    )
    await unavailable(t, verifierOf(t, url), /malformed|HPE_/)
  }
})

test('a reply that never ends is an error', async t => {
  const url = await httpServer(t, (_request, response) => {
    const more = (): void => {
      if (!response.destroyed) response.write(' '.repeat(1024 * 1024), more)
    }
    more()
  })
  await unavailable(t, verifierOf(t, url, { timeoutMs: 60_000 }), /the reply is too long/)
})

test('every status other than 200 is an error that explains what to do', async t => {
  for (const [status, message] of [
    [401, /configure the token of an active key/],
    [403, /give it the scope tokens:introspect:orders/],
    [404, /check url/],
    [429, /rate limit/],
    [201, /status 201/],
    [204, /status 204/],
    [302, /status 302/],
    [422, /status 422/],
    [500, /status 500/],
    [503, /status 503/]
  ] as const) {
    const url = await batchServer(t, (sent, response) => {
      sendJson(response.setHeader('location', '/'), repeatingRefs(sent, [active()]), status)
    })
    await unavailable(t, verifierOf(t, url), message)
  }
})

test('a switch to another protocol is an error', async t => {
  const url = await tcpServer(t, socket =>
    socket.write('HTTP/1.1 101 Upgrade\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
  )
  await unavailable(t, verifierOf(t, url), /the connection closed without a reply/)
})

test('a reply that is not one well-formed verdict for each entry is an error', async t => {
  for (const reply of [
    '',
    '<html></html>',
    'null',
    '{}',
    '{"active":true,"ref":"REF"}',
    '[]',
    '[{"ref":"REF"}]',
    `[${JSON.stringify(active({ ref: 'REF' }))},${JSON.stringify(active())}]`,
    ...[
      { active: 'true' },
      { active: 1 },
      { active: null },
      { client_id: undefined },
      { client_id: 7 },
      { username: null },
      { scope: ['orders:read'] },
      { owner: 7 },
      { metadata: 'x' },
      { metadata: null },
      { metadata: [] },
      { exp: '7' },
      { exp: 1.5 }
    ].map(fields => JSON.stringify([active({ ...fields, ref: 'REF' })]))
  ]) {
    const url = await batchServer(t, ([entry], response) => {
      response.end(reply.replace('REF', String(entry?.ref)))
    })
    await unavailable(t, verifierOf(t, url), /malformed: check url/)
  }
})

test('a malformed verdict on a further entry is an error', async t => {
  for (const verdict of [null, true, []]) {
    const { url } = await introspectionServer(t, ({ token }) => (token === 'first' ? active() : verdict))
    const { verify } = verifierOf(t, url)
    const results = await Promise.allSettled([verify('first'), verify('second')])
    t.same(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
      JSON.stringify(verdict)
    )
  }
})

test('the reply to another request is an error', async t => {
  for (const verdict of [null, true, [], {}, active(), active({ ref: 7 }), active({ ref: randomUUID() })]) {
    const url = await batchServer(t, (_sent, response) => {
      sendJson(response, [verdict])
    })
    await unavailable(t, verifierOf(t, url), /the reply belongs to another request/)
  }
})

test('a proxy that sends a reply twice causes an error, not a verdict on another token', async t => {
  const good: string[] = []
  const url = await tcpServer(t, (socket, count, ref) => {
    if (count === 1) good.push(replyTo(ref))
    // The second copy arrives when the next request has been sent, and so looks like its reply.
    socket.write(count === 2 ? String(good[0]) : replyTo(ref))
  })
  const verifier = verifierOf(t, url)
  t.match(await verifier.verify('good'), { ok: true })
  await unavailable(t, verifier, /the reply belongs to another request/)
})

test('a call after a failure is sent again', async t => {
  let status = 500
  const url = await batchServer(t, (sent, response) => {
    sendJson(response, repeatingRefs(sent, [active()]), status)
  })
  const verifier = verifierOf(t, url)
  await unavailable(t, verifier, /status 500/)
  status = 200
  t.match(await verifier.verify('good'), { ok: true })
})

/** A service whose first connection closes at its second request, without a reply. */
const restarting = async (t: Test, onSecond: (socket: Socket, ref: string) => void) => {
  const connections: Socket[] = []
  const url = await tcpServer(t, (socket, count, ref) => {
    connections.push(socket)
    if (count === 2) onSecond(socket, ref)
    else socket.write(replyTo(ref))
  })
  return { url, connections }
}

test('a request on a connection that the service has just closed is sent once more, on a new connection', async t => {
  const { url, connections } = await restarting(t, socket => socket.resetAndDestroy())
  const { verify } = verifierOf(t, url)
  t.match(await verify('good'), { ok: true })
  t.match(await verify('good'), { ok: true })
  t.equal(connections.length, 3)
  t.equal(connections[1], connections[0], 'the second request was sent on the first connection')
  t.not(connections[2], connections[0])
})

test('a request is sent twice at most', async t => {
  let isDown = false
  const received: number[] = []
  const url = await tcpServer(t, (socket, count, ref) => {
    received.push(count)
    if (isDown) socket.resetAndDestroy()
    else socket.write(replyTo(ref))
  })
  const verifier = verifierOf(t, url)
  await verifier.verify('good')
  isDown = true
  await unavailable(t, verifier, /ECONNRESET/)
  t.same(received, [1, 2, 3])
  await unavailable(t, verifier, /ECONNRESET/)
  t.same(received, [1, 2, 3, 4], 'a new connection that fails is an error at once')
})

test('a request is not sent again once the reply has begun', async t => {
  const { url, connections } = await restarting(t, (socket, ref) => socket.end(replyTo(ref).slice(0, -9)))
  const verifier = verifierOf(t, url)
  await verifier.verify('good')
  await unavailable(t, verifier, /ECONNRESET/)
  t.equal(connections.length, 2)
})

test('a request is not sent again after the time-out', async t => {
  const { url, connections } = await restarting(t, () => {})
  const verifier = verifierOf(t, url, { timeoutMs: 1000 })
  await verifier.verify('good')
  await unavailable(t, verifier, /no reply within 1000 ms/)
  t.equal(connections.length, 2)
})

test('one failed batch of a turn fails only its own calls', async t => {
  const { url } = await introspectionServer(t, ({ token }) => (token === '0' ? { active: 'yes' } : active()))
  const { verify } = verifierOf(t, url)
  const calls = Array.from({ length: 150 }, async (_, index) => await verify(String(index)))
  const results = await Promise.allSettled(calls)
  t.equal(results.filter(({ status }) => status === 'rejected').length, 100)
  t.ok(results.slice(100).every(({ status }) => status === 'fulfilled'))
})

test('closing waits for a running request', async t => {
  const arrived = new EventEmitter()
  const url = await batchServer(t, (sent, response) => arrived.emit('response', sent, response))
  const verifier = verifierOf(t, url)
  const call = verifier.verify('good')
  const [sent, response] = (await once(arrived, 'response')) as [Entry[], ServerResponse]
  let isClosed = false
  const closed = verifier.close().then(() => {
    isClosed = true
  })
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  t.equal(isClosed, false)
  sendJson(response, repeatingRefs(sent, [INACTIVE]))
  await closed
  t.match(await call, { ok: false })
})

/** Creates a certificate for localhost. */
const certificate = (t: Test): { key: string; cert: string } => {
  const folder = temporaryFolder(t)
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const args = 'req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -subj /CN=localhost'.split(' ')
  const files = ['-keyout', keyFile, '-out', certFile, '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', [...args, ...files], { stdio: 'ignore' })
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') }
}

test('a certificate is checked, and can be that of your own authority', async t => {
  const { key, cert } = certificate(t)
  let count = 0
  const url = await batchServer(
    t,
    (sent, response, request) => {
      if (++count === 2) request.socket.destroy()
      else sendJson(response, repeatingRefs(sent, [active()]))
    },
    async handler => await httpsServer(t, { key, cert }, handler)
  )
  await unavailable(t, verifierOf(t, url), /DEPTH_ZERO_SELF_SIGNED_CERT/)
  await unavailable(t, verifierOf(t, url, { ca: certificate(t).cert }), /SELF_SIGNED|UNABLE_TO_VERIFY|CERT/)
  t.equal(count, 0)
  const { verify } = verifierOf(t, url, { ca: [Buffer.from(cert)] })
  t.match(await verify('good'), { ok: true })
  t.match(await verify('good'), { ok: true }, 'so does the connection for a request that is sent again')
  t.equal(count, 3)
})

test('an open connection does not keep a program running', async t => {
  const { url } = await introspectionServer(t, () => active())
  const program = `import { createVerifier } from '${pathToFileURL(compiled('verifier.ts')).href}'
    const { verify } = createVerifier({ url: '${url}', keyAccessToken: 'own', service: 'orders' })
    console.log((await verify('good')).ok)`
  const child = spawnNode(['--input-type=module', '--eval', program], temporaryFolder(t), {})
  t.match(await collect(child).ended, { code: 0, stdout: 'true\n', stderr: '' })
})
