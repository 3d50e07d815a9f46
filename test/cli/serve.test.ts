import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { settings, temporaryFolder } from '../helper.ts'
import { LISTENING } from '../http/service.ts'
import { spawned } from './process.ts'
import { command } from './terminal.ts'

test('trivial serve starts the service, which responds until SIGTERM stops it', async t => {
  const { env, key } = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
  const running = spawned(t, 'serve', { env })
  await running.prints('Server listening')
  const port = LISTENING.exec(running.output().stdout)?.[1]
  const headers = { authorization: `Bearer ${key.keyAccessToken}` }
  t.equal((await fetch(`http://127.0.0.1:${port}/apps`, { headers })).status, 200)
  running.process.kill('SIGHUP')
  await running.prints('the signal is ignored')
  running.process.kill('SIGTERM')
  const { code, stdout, stderr } = await running.ended
  t.same([code, stderr], [0, ''])
  t.match(stdout, 'the service is stopping')
})

test("trivial serve reports in one sentence why the service can't start, and exits with 1", async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => {
    other.close()
  })
  const PORT = String((other.address() as AddressInfo).port)
  t.match(await spawned(t, 'serve', { env: settings(t, { PORT }).env }).ended, {
    code: 1,
    stdout: '',
    stderr: `PORT (set in the environment): port ${PORT} of 127.0.0.1 is in use. Stop the process that uses it, or set another port.\n`
  })
  t.match(await command(t, 'serve', { env: {} }), { code: 1, stdout: '', stderr: /CLIENT_SECRET is not set/ })
})

/**
 * Returns a function that lists the listeners added to the process since this call. They are removed when the test
 * ends.
 */
const watchListeners = (t: Test) => {
  const listeners = () =>
    process.eventNames().flatMap(event => process.rawListeners(event).map(each => ({ event, each })))
  const before = new Set(listeners().map(({ each }) => each))
  const since = () => listeners().filter(({ each }) => !before.has(each))
  t.teardown(() => {
    for (const { event, each } of since()) process.removeListener(event, each as () => void)
  })
  return since
}

test('serve, and quickstart without --once, return 0 and keep running until a signal', async t => {
  for (const [name, stdout, more] of [
    ['serve', '', {}],
    ['quickstart', /Press Ctrl-C to stop\.\n$/, { DATABASE_URL: '' }]
  ] as const) {
    const since = watchListeners(t)
    const exit = new Promise(resolve => {
      t.intercept(process, 'exit', { value: resolve })
    })
    t.match(await command(t, name, { env: settings(t, { PORT: '0', ...more }).env }), { code: 0, stdout })
    for (const { event, each } of since()) if (event === 'SIGTERM') each('SIGTERM')
    t.equal(await exit, 0)
  }
})

test("a command whose .env can't be used reports why", async t => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, '.env'), 'PORT=1\nPORT=2\n')
  t.match(await command(t, 'serve', { cwd, env: {} }), {
    code: 1,
    stderr: /\.env sets a variable more than once\. .*\n {2}PORT is set on lines 1 and 2\n$/
  })
})

test("serve removes its listeners if the service can't listen", async t => {
  const since = watchListeners(t)
  t.match(await command(t, 'serve', { env: settings(t, { PORT: '0', HOST: '192.0.2.1' }).env }), {
    code: 1,
    stderr: 'HOST (set in the environment): 192.0.2.1 is not an address of this machine. Set HOST to one that is.\n'
  })
  t.notOk(since().some(({ event }) => event === 'SIGTERM'))
})
