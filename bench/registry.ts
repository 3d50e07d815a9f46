import type { Issued, KeyRegistry } from '../domain/keys/registry.ts'
import type { Author } from '../domain/keys/store.ts'
import { compiled } from './compiled.ts'

const { openStores } = await compiled('db/open.js')
const { createKeyRegistry } = await compiled('domain/keys/registry.js')
const { createTokenSealer } = await compiled('domain/keys/token.js')

export const author: Author = {
  origin: { actor: { kind: 'cli', id: '0', name: 'bench' }, address: null, requestId: null },
  token: null
}

/** Opens the keys of a database as a command of the service does, and closes them when the work is done. */
export const withRegistry = async <T>(
  database: string,
  secret: string,
  work: (keys: KeyRegistry) => Promise<T>
): Promise<T> => {
  const stores = openStores(`file:${database}`)
  try {
    return await work(
      createKeyRegistry({
        store: stores.clientKeys,
        sealer: createTokenSealer(secret),
        secrets: [secret],
        allowList: []
      })
    )
  } finally {
    stores.close()
  }
}

let issued = 0

/** Issues a key of the usual kind, under a name that no process takes twice. */
export const issueKey = async (keys: KeyRegistry): Promise<Issued> =>
  await keys.issue({ name: `bench ${process.pid} ${++issued}`, scopes: ['apps:read', 'apps:write'] }, author)
