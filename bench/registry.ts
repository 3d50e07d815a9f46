import type { RequestContext } from '../domain/access/principal.ts'
import type { Issued } from '../domain/keys/lifecycle/lifecycle.ts'
import type { WantedKey } from '../domain/keys/client-key.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { compiled } from './compiled.ts'
import { urlOf } from './database-url.ts'

const { openStorage } = await compiled('db/open.js')
const { createKeyService } = await compiled('domain/keys/service.js')

export const operator: RequestContext = {
  actor: { kind: 'cli', id: '0', name: 'bench' },
  principal: null,
  address: null,
  requestId: null
}

/** Opens the keys of a database as a command of the service does, and closes them when the work is done. */
export const withRegistry = async <T>(
  database: string,
  secret: string,
  work: (keys: KeyService) => Promise<T>
): Promise<T> => {
  const storage = await openStorage(urlOf(database))
  try {
    return await work(createKeyService({ store: storage, secret }))
  } finally {
    await storage.close()
  }
}

let issued = 0

/** Issues a key of the usual kind, under a name that no process takes twice. */
export const issueKey = async (keys: KeyService, policy: Pick<WantedKey, 'rateLimit'> = {}): Promise<Issued> =>
  await keys.issue(
    { name: `bench ${process.pid} ${++issued}`, scopes: ['apps:read', 'apps:write'], ...policy },
    operator
  )
