import { fileURLToPath } from 'node:url'
import type * as App from '../app.ts'
import type * as DbOpen from '../db/open.ts'
import type * as Authenticator from '../domain/keys/verdict/authenticator.ts'
import type * as Base62 from '../domain/keys/token/base62.ts'
import type * as Registry from '../domain/keys/service.ts'
import type * as Token from '../domain/keys/token/token.ts'
import type * as Passwords from '../domain/users/passwords.ts'
import type * as AppFields from '../routes/protected/apps/fields.ts'

/**
 * What is built for the bench, by the types of what it is made from; the script in package.json names the same files.
 * It is built apart, since the service as it is shipped has fewer files and starts faster.
 */
interface Compiled {
  'app.js': typeof App
  'db/open.js': typeof DbOpen
  'domain/keys/authenticator.js': typeof Authenticator
  'domain/keys/base62.js': typeof Base62
  'domain/keys/service.js': typeof Registry
  'domain/keys/token.js': typeof Token
  'routes/protected/apps/fields.js': typeof AppFields
  'domain/users/passwords.js': typeof Passwords
}

export const root = fileURLToPath(new URL('..', import.meta.url))

const dist = new URL('../dist-bench/', import.meta.url)

// Not a literal, so that types can be checked while nothing is built.
export const compiled = async <Path extends keyof Compiled>(path: Path): Promise<Compiled[Path]> =>
  (await import(new URL(path, dist).href)) as Compiled[Path]

export const compiledServer = fileURLToPath(new URL('../dist/server.js', import.meta.url))
