import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { newSecret, root, temporaryFolder } from '../helper.ts'

export interface Ended {
  readonly code: number | null
  readonly output: string
}

/** A folder in which a page's commands run as they would for a reader: with a shell, npm and the build. */
export interface Workplace {
  readonly folder: string
  /** Runs a script in bash, and resolves when it ends. Variables that it exports are set in later scripts. */
  readonly run: (script: string) => Promise<Ended>
  /** Stops the running service, and starts a script that serves until it is stopped. Returns the port. */
  readonly serve: (script: string) => Promise<number>
  readonly stop: () => Promise<void>
}

const COPIED = ['package.json', '.env.example']
const LINKED = ['build', 'dist', 'examples', 'node_modules']
const LISTENING = /(?:Server listening|The service runs) at http:\/\/[^\s",]*:(\d+)\b/

// With these settings, curl exits with an error if its request is refused.
const CURLRC = 'fail\nshow-error\n'

/** Creates a copy of the installed project, without a `.env` file and without a database. */
export const emptyWorkplace = (t: Test): Workplace => {
  const base = temporaryFolder(t)
  const folder = join(base, 'project')
  const home = join(base, 'home')
  for (const path of [folder, home]) mkdirSync(path)
  for (const name of COPIED) copyFileSync(join(root, name), join(folder, name))
  for (const name of LINKED) symlinkSync(join(root, name), join(folder, name))
  writeFileSync(join(home, '.curlrc'), CURLRC)

  const start = shell(folder, home, join(base, 'exported'))
  let service: ChildProcess | null = null
  let closed: Promise<unknown> = Promise.resolve()

  const stop = async (): Promise<void> => {
    signal(service, 'SIGINT')
    await closed
    service = null
  }
  t.teardown(async () => {
    signal(service, 'SIGKILL')
    await closed
  })

  return {
    folder,
    stop,
    run: async script => {
      const child = start(`${SAVE}\n${script}`)
      t.teardown(() => {
        endBackground(child)
      })
      return await end(child)
    },
    serve: async script => {
      await stop()
      const started = start(script)
      service = started
      closed = once(started, 'close')
      return await portOf(started)
    }
  }
}

/** Does the same as `emptyWorkplace`, and creates a `.env` file with a secret, as the first page describes. */
export const preparedWorkplace = (t: Test): Workplace => {
  const workplace = emptyWorkplace(t)
  const settings = readFileSync(join(root, '.env.example'), 'utf8').replace(/^CLIENT_SECRET=$/m, `$&${newSecret()}`)
  writeFileSync(join(workplace.folder, '.env'), settings, { mode: 0o600 })
  return workplace
}

// tap uses NODE_OPTIONS to add its loaders to each Node.js process that is started.
const RESTORE = '[ ! -e "$EXPORTED" ] || . "$EXPORTED"; unset NODE_OPTIONS'
const SAVE = 'trap \'export -p > "$EXPORTED"\' EXIT'

/** Starts bash in a separate process group. It gets no variable from the test's environment except PATH. */
const shell =
  (folder: string, home: string, exported: string) =>
  (script: string): ChildProcess => {
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      PORT: '0',
      EXPORTED: exported,
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false'
    }
    return spawn('bash', ['-euo', 'pipefail', '-c', `${RESTORE}\n${script}`], {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe']
    })
  }

const signal = (child: ChildProcess | null, name: 'SIGINT' | 'SIGKILL'): void => {
  if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, name)
}

/** Ends the programs that a script has started in the background, even after the script ended. */
const endBackground = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has no processes.
  }
}

// The output of a failed test is kept longer than the folder, so it must not contain secrets.
const withoutSecrets = (text: string): string => text.replaceAll(/tck_\w+|\b[0-9a-f]{32,64}\b/g, '…')

const gather = (child: ChildProcess): { text: () => string } => {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  return { text: () => withoutSecrets(text) }
}

const end = async (child: ChildProcess): Promise<Ended> => {
  const output = gather(child)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output: output.text() }
}

const portOf = async (child: ChildProcess): Promise<number> => {
  const output = gather(child)
  const closed = once(child, 'close').then(() => true)
  for (;;) {
    const port = LISTENING.exec(output.text())?.[1]
    if (port !== undefined) return Number(port)
    const printed = child.stdout === null ? [] : [once(child.stdout, 'data').then(() => false)]
    if (await Promise.race([closed, ...printed])) throw new Error(`it ended early: ${output.text()}`)
  }
}
