import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isFresh } from './stamp.js'

// node build/launch.js <program> [arguments]: what npm run … calls. Plain JavaScript, so that nothing is transpiled where
// the build is fresh.

const root = fileURLToPath(new URL('..', import.meta.url))
const [node = '', , program = '', ...rest] = process.argv

/** The program as it was built, where it was built from what is here now, or where nothing but the build is here. */
const choose = () => {
  const source = join(root, program)
  const built = join(root, 'dist', program.replace(/\.ts$/, '.js'))
  return existsSync(built) && (!existsSync(source) || isFresh(root)) ? built : source
}

const chosen = choose()
if (chosen.endsWith('.ts')) (await import('tsx/esm/api')).register()
process.argv = [node, chosen, ...rest]
await import(pathToFileURL(chosen).href)
