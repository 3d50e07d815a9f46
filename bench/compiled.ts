import { fileURLToPath } from 'node:url'
import type * as App from '../app.ts'
import type * as DbOpen from '../db/open.ts'
import type * as Authenticator from '../domain/keys/verdict/authenticator.ts'

/**
 * What is built for the bench, by the types of what it is made from; the script in package.json names the same files.
 * It is built apart, since the service as it is shipped has fewer files and starts faster.
 */
interface Compiled {
  'app.js': typeof App
  'db/open.js': typeof DbOpen
  'domain/keys/verdict/authenticator.js': typeof Authenticator
}

export const root = fileURLToPath(new URL('..', import.meta.url))

const dist = new URL('../dist-bench/', import.meta.url)

// Not a literal, so that types can be checked while nothing is built.
export const compiled = async <Path extends keyof Compiled>(path: Path): Promise<Compiled[Path]> =>
  (await import(new URL(path, dist).href)) as Compiled[Path]
