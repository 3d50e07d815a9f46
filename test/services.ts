import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import type { Test } from 'tap'

/** Answers null for a test that needs a server where there is none, and says so; throws where CI demands one. */
export const missing = (t: Test, what: string, variable: string): null => {
  const issue = `there is no ${what} at ${variable}, nor at its usual port of 127.0.0.1`
  if (process.env['CI_DEMANDS_SERVICES'] === '1') throw new Error(issue)
  t.pass('skipped', { skip: issue })
  return null
}

/** A port of 127.0.0.1 that nobody listens on. */
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

/** Reports whether a program runs here; a test that needs it is skipped with a line, or fails if CI demands it. */
export const hasProgram = (t: Test, program: string, isDemanded = true): boolean => {
  const { error } = spawnSync(program, ['--version'])
  if (error === undefined) return true
  const issue = `there is no ${program}`
  if (isDemanded && process.env['CI_DEMANDS_SERVICES'] === '1') throw new Error(issue)
  t.pass('skipped', { skip: issue })
  return false
}
