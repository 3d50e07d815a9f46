import { fileURLToPath } from 'node:url'
import type * as App from '../app.ts'
import type * as DbOpen from '../db/open.ts'
import type * as Authenticator from '../domain/keys/verdict/authenticator.ts'

/**
 * The types of the files that are built for the benchmarks. A script in package.json lists these files. They are built
 * separately, so that the shipped service has fewer files and starts faster.
 */
interface Compiled {
  'app.js': typeof App
  'db/open.js': typeof DbOpen
  'domain/keys/verdict/authenticator.js': typeof Authenticator
}

export const root = fileURLToPath(new URL('..', import.meta.url))

const dist = new URL('../dist-bench/', import.meta.url)

// The path isn't a literal, so types can be checked without a build.
export const compiled = async <Path extends keyof Compiled>(path: Path): Promise<Compiled[Path]> =>
  (await import(new URL(path, dist).href)) as Compiled[Path]
