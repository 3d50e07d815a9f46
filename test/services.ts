import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import type { Test } from 'tap'

/** Skips a test whose server is missing, and returns null. Throws instead if CI requires the server. */
export const missing = (t: Test, what: string, variable: string): null => {
  const issue = `there is no ${what} at ${variable}, or at its default port of 127.0.0.1`
  if (process.env['CI_DEMANDS_SERVICES'] === '1') throw new Error(issue)
  t.pass('skipped', { skip: issue })
  return null
}

/** Returns a free port on 127.0.0.1. */
export const freePort = async (): Promise<number> =>
  await new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('the server has no port'))
        else resolve(address.port)
      })
    })
  })

/** Returns whether a program is installed. If it isn't, skips the test, or throws if CI requires the program. */
export const hasProgram = (t: Test, program: string, isDemanded = true): boolean => {
  const { error } = spawnSync(program, ['--version'])
  if (error === undefined) return true
  const issue = `there is no ${program}`
  if (isDemanded && process.env['CI_DEMANDS_SERVICES'] === '1') throw new Error(issue)
  t.pass('skipped', { skip: issue })
  return false
}
