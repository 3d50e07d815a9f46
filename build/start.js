import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isFresh } from './stamp.js'

// npm start: the service as it was built.

const root = fileURLToPath(new URL('..', import.meta.url))
const server = new URL('../dist/server.js', import.meta.url)

if (!existsSync(server)) {
  console.error('There is no build to start. Make one with: npm run build')
  process.exit(1)
}
// A service that runs is worth more than one that is up to date, but nobody should be left to guess.
if (existsSync(join(root, 'server.ts')) && !isFresh(root)) {
  console.error('dist/ was built from other sources than those that are here now. Build it again with: npm run build')
}
await import(server.href)
