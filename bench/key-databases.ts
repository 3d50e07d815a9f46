import { hash } from 'node:crypto'
import { join } from 'node:path'
import { v7 as newId } from 'uuid'
import { Database } from '../db/sqlite/driver.ts'
import type { Connection } from '../db/sqlite/driver.ts'
import { compiled } from './compiled.ts'
import { asIfReceived } from './opening.ts'

const { openStorage } = await compiled('db/open.js')
const { createTokenSealer, digestOf } = await compiled('domain/keys/token.js')

export const AT = '2026-01-05T09:00:00.000Z'
export const SCOPES = '["apps:read","apps:write"]'
export const CREATED_BY = '{"kind":"cli","id":"0","name":"bench"}'
export const KEY_ID_DIGITS = 32
const CACHE_KIB = 1024 * 1024

/** A database of managed keys, one token each. */
export interface KeyDatabase {
  path: string
  keys: number
  /** A token that was never seen before, of the key of a number from 0 to `keys` - 1. */
  tokenOf: (number: number) => string
  /** That many tokens that were never seen before, each of a key at random. */
  unseen: (count: number) => string[]
}

/** Makes a database of managed keys. Their `key_id`s follow from their numbers, so that none has to be kept. */
export const makeKeyDatabase = async (folder: string, keys: number, secret: string): Promise<KeyDatabase> => {
  const path = join(folder, `${keys}-keys.db`)
  const sealer = createTokenSealer(secret)
  await (await openStorage(`file:${path}`)).close()
  const db = new Database(path)
  try {
    db.pragma('journal_mode = OFF')
    db.pragma('synchronous = OFF')
    // Digests come in no order, and the tree they go into is to be written once.
    db.pragma(`cache_size = -${CACHE_KIB}`)
    db.transaction(() => {
      fill(db, keys, sealer.generation)
    })()
  } finally {
    db.close()
  }
  const tokenOf = (number: number): string => asIfReceived(sealer.seal(keyIdOf(number)))
  return {
    path,
    keys,
    tokenOf,
    unseen: count => Array.from({ length: count }, () => tokenOf(Math.floor(Math.random() * keys)))
  }
}

const fill = (db: Connection, keys: number, generation: string): void => {
  const addKey = db.prepare(`
    insert into client_keys (row, id, name, scopes, enabled, allowed_ips, metadata, created_at, created_by)
    values (?, ?, ?, '${SCOPES}', 1, '[]', '{}', '${AT}', '${CREATED_BY}')
  `)
  const addToken = db.prepare(`
    insert into client_key_tokens (digest, client_key, generation, hint, created_at) values (?, ?, '${generation}',
      'abcd', '${AT}')
  `)
  for (let number = 0; number < keys; number++) {
    addKey.run(number + 1, newId(), `key ${number}`)
    addToken.run(digestOf(keyIdOf(number)), number + 1)
  }
}

export const keyIdOf = (number: number): string => hash('sha256', `key ${number}`).slice(0, KEY_ID_DIGITS)
