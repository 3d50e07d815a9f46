import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { root, temporaryFolder } from './helper.ts'

const PATH = `${process.env['PATH']}:/usr/sbin`

/** A configuration that includes the example, like Debian's configuration. nginx writes only to its own folder. */
const MAIN = `
daemon off;
# A single process, which runs as the current user.
master_process off;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  include example.conf;
}
`

const replaced = (text: string, found: string, replacement: string): string => {
  if (!text.includes(found)) throw new Error(`examples/nginx.conf does not contain ${found}`)
  return text.replace(found, replacement)
}

const isListening = async (port: number): Promise<boolean> =>
  await new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => {
      resolve(false)
    })
  })

/**
 * Starts nginx with examples/nginx.conf in front of a service, each on a port of 127.0.0.1. If nginx isn't installed,
 * skips the test and returns false.
 */
export const startNginx = async (t: Test, ports: { nginx: number; service: number }): Promise<boolean> => {
  const folder = temporaryFolder(t)
  const example = readFileSync(join(root, 'examples/nginx.conf'), 'utf8')
  const listen = replaced(example, 'listen 80;', `listen 127.0.0.1:${ports.nginx};`)
  writeFileSync(join(folder, 'example.conf'), replaced(listen, '127.0.0.1:3000;', `127.0.0.1:${ports.service};`))
  writeFileSync(join(folder, 'nginx.conf'), MAIN)
  mkdirSync(join(folder, 'logs'))
  const nginx = spawn('nginx', ['-e', 'stderr', '-p', folder, '-c', 'nginx.conf'], {
    env: { PATH },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let log = ''
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const ended = once(nginx, 'close').catch((error: unknown) => error)
  t.teardown(async () => {
    nginx.kill('SIGKILL')
    await ended
  })
  while (!(await isListening(ports.nginx))) {
    const end = await Promise.race([pause(10), ended])
    if (end instanceof Error) {
      if (process.env['CI_DEMANDS_SERVICES'] === '1') throw end
      t.pass('skipped', { skip: 'nginx is not installed' })
      return false
    }
    if (end !== undefined) throw new Error(`nginx ended: ${log}`)
  }
  return true
}
