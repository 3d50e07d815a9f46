import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { endOnSignals } from '../../first-process.ts'
import { closeOnSignals, ignoreHangup } from '../../http/signals.ts'
import { settings } from '../helper.ts'

const listeners = (): { event: string | symbol; listener: (...args: unknown[]) => void }[] =>
  process
    .eventNames()
    .flatMap(event =>
      process.rawListeners(event).map(listener => ({ event, listener: listener as (...args: unknown[]) => void }))
    )

/** Creates a service that listens for signals in this process, but doesn't end the process. */
const world = async (t: Test) => {
  const fastify = await createServer(settings(t).env)
  t.teardown(() => fastify.close())
  const logged: unknown[][] = []
  for (const level of ['info', 'fatal'] as const) {
    t.intercept(fastify.log, level, { value: (...line: unknown[]) => logged.push([level, ...line]) })
  }
  const exit = new Promise(resolve => {
    t.intercept(process, 'exit', { value: resolve })
  })
  const before = new Set(listeners().map(({ listener }) => listener))
  const added = () => listeners().filter(({ listener }) => !before.has(listener))
  t.teardown(() => {
    for (const { event, listener } of added()) process.removeListener(event, listener)
  })
  const undo = closeOnSignals(fastify)
  ignoreHangup(fastify)
  return {
    undo,
    logged,
    exit,
    /** Calls only the listeners that the service added for an event. */
    emit: (name: string, ...args: unknown[]) => {
      for (const { event, listener } of added()) if (event === name) listener(...args)
    }
  }
}

test('SIGHUP is ignored, and SIGTERM stops the process with exit code 0', async t => {
  const { logged, exit, emit } = await world(t)
  emit('SIGHUP', 'SIGHUP')
  emit('SIGTERM', 'SIGTERM')
  t.equal(await exit, 0)
  t.match(logged, [
    ['info', { signal: 'SIGHUP' }, /^the signal is ignored/],
    ['info', { signal: 'SIGTERM' }, 'the service is stopping']
  ])
})

test('a second signal during shutdown, as when npm passes on Ctrl-C, changes nothing', async t => {
  const { logged, exit, emit } = await world(t)
  emit('SIGINT', 'SIGINT')
  emit('SIGINT', 'SIGINT')
  emit('SIGTERM', 'SIGTERM')
  t.equal(await exit, 0)
  t.match(logged, [['info', { signal: 'SIGINT' }, 'the service is stopping']])
  t.equal(logged.length, 1)
})

test('SIGQUIT stops the process with exit code 0', async t => {
  const { logged, exit, emit } = await world(t)
  emit('SIGQUIT', 'SIGQUIT')
  t.equal(await exit, 0)
  t.match(logged, [['info', { signal: 'SIGQUIT' }, 'the service is stopping']])
})

test('a service whose signal listeners were removed ignores signals', async t => {
  const { logged, emit, undo } = await world(t)
  undo()
  emit('SIGTERM', 'SIGTERM')
  emit('SIGQUIT', 'SIGQUIT')
  t.same(logged, [])
})

test('the exit code after an uncaught exception is 1, even if a signal follows it', async t => {
  const { exit, emit } = await world(t)
  emit('uncaughtException', new Error('out of the blue'))
  emit('SIGTERM', 'SIGTERM')
  t.equal(await exit, 1)
})

test('PID 1 in a container exits on signals during startup, and shuts down on signals while it is serving', async t => {
  t.intercept(process, 'pid', { value: 1 })
  const others = new Set(listeners().map(({ listener }) => listener))
  endOnSignals()
  const early = listeners().filter(({ listener }) => !others.has(listener))
  t.same(early.map(({ event }) => event).sort(), ['SIGINT', 'SIGTERM'])
  const codes: unknown[] = []
  const exited = t.intercept(process, 'exit', { value: (code: unknown) => codes.push(code) })
  for (const { event, listener } of early) listener(event)
  exited.restore()
  t.same(codes.sort(), [130, 143])

  const { logged, exit, emit } = await world(t)
  const left = new Set(listeners().map(({ listener }) => listener))
  t.notOk(early.some(({ listener }) => left.has(listener)))
  emit('SIGTERM', 'SIGTERM')
  t.equal(await exit, 0)
  t.match(logged, [['info', { signal: 'SIGTERM' }, 'the service is stopping']])
})

test('by default, signals terminate any other process', async t => {
  const before = listeners()
  endOnSignals()
  t.same(listeners(), before)
})

test('an uncaught exception stops the process with exit code 1', async t => {
  const { logged, exit, emit } = await world(t)
  emit('uncaughtException', new Error('out of the blue'))
  t.equal(await exit, 1)
  t.match(logged, [['fatal', { err: { message: 'out of the blue' } }, /uncaught error/]])
})
