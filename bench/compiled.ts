import { fileURLToPath } from 'node:url'
import type * as App from '../app.ts'
import type * as DbOpen from '../db/open.ts'
import type * as Authenticator from '../keys/authenticator.ts'
import type * as Base62 from '../keys/base62.ts'
import type * as Registry from '../keys/registry.ts'
import type * as Token from '../keys/token.ts'
import type * as Passwords from '../users/passwords.ts'
import type * as AppFields from '../routes/protected/apps/fields.ts'

/** What `npm run build` makes, by the types of what it is made from. */
interface Compiled {
  'app.js': typeof App
  'db/open.js': typeof DbOpen
  'keys/authenticator.js': typeof Authenticator
  'keys/base62.js': typeof Base62
  'keys/registry.js': typeof Registry
  'keys/token.js': typeof Token
  'routes/protected/apps/fields.js': typeof AppFields
  'users/passwords.js': typeof Passwords
}

const dist = new URL('../dist/', import.meta.url)

// Not a literal, so that types can be checked while nothing is built.
export const compiled = async <Path extends keyof Compiled>(path: Path): Promise<Compiled[Path]> =>
  await import(new URL(path, dist).href) as Compiled[Path]

export const compiledServer = fileURLToPath(new URL('server.js', dist))
