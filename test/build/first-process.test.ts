import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import type { Test } from 'tap'
import { collect, compiled, settings, spawnProgram, temporaryFolder } from '../helper.ts'

/** The command that runs a program in a new process namespace, as a container does. */
const UNSHARE = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child']

const skip =
  spawnSync('unshare', [...UNSHARE.slice(1), 'true']).status === 0 ? false : "process namespaces can't be created here"

/** Runs a program as PID 1 of a namespace. */
const start = (t: Test, args: readonly string[], env: Record<string, string>) => {
  const child = spawnProgram([...UNSHARE, process.execPath, ...args], temporaryFolder(t), env)
  t.teardown(() => child.kill('SIGKILL'))
  const { output, ended } = collect(child)
  return {
    output,
    ended,
    isRunning: () => child.exitCode === null,
    /** Sends a signal to the program if it has started. */
    kill: () => {
      try {
        const [pid = ''] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ')
        if (pid !== '') process.kill(Number(pid), 'SIGTERM')
      } catch {
        // The program has ended in the meantime.
      }
    }
  }
}

test('SIGTERM stops the service even if it is PID 1 in a container', { skip }, async t => {
  const { output, ended, isRunning, kill } = start(
    t,
    [compiled('server.ts')],
    settings(t, { PORT: '0', LOG_LEVEL: 'info' }).env
  )
  while (isRunning() && !output().stdout.includes('Server listening')) await setImmediate()
  kill()
  const { code, stdout } = await ended
  t.equal(code, 0)
  t.match(stdout, '"msg":"the service is stopping"')
})

test('SIGTERM stops PID 1 in a container even before it starts listening', { skip }, async t => {
  // The command waits for a token on standard input, which never arrives.
  const { ended, isRunning, kill } = start(t, [compiled('cli/trivial.ts'), 'key', 'inspect'], settings(t).env)
  while (isRunning()) {
    kill()
    await setImmediate()
  }
  t.equal((await ended).code, 143)
})
