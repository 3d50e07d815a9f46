import { fileURLToPath } from 'node:url'

// npm runs this after npm install and npm ci, so that the first command is as fast as the next. An installation must
// not fail for it: without a build, commands run from their sources.

const root = fileURLToPath(new URL('..', import.meta.url))
try {
  const [{ build }, { isFresh }] = await Promise.all([import('./build.js'), import('./stamp.js')])
  if (!isFresh(root)) await build(root)
} catch (error) {
  console.error(
    `dist/ was not built; npm run build tells why. (${error instanceof Error ? error.message : String(error)})`
  )
}
