import { hash } from 'node:crypto'
import { join } from 'node:path'
import { v7 as newId } from 'uuid'
import { openStorage } from '../db/open.ts'
import { Database } from '../db/sqlite/driver.ts'
import { createTokenSealer, digestOf } from '../domain/keys/token/token.ts'

const AT = '2026-01-05T09:00:00.000Z'
const CREATED_BY = '{"kind":"cli","id":"0","name":"bench"}'
const SCOPES = '["apps:read","apps:write"]'
const KEY_ID_DIGITS = 32
const CACHE_KIB = 1024 * 1024

/** A database that contains managed keys, each with one token. */
export interface KeyDatabase {
  url: string
  keys: number
  /** Returns `count` new tokens, each for a random key. */
  unseen: (count: number) => string[]
}

/**
 * Creates an SQLite database with the given number of keys. Each `key_id` is derived from the key's number, so that it
 * doesn't have to be stored.
 */
export const createKeyDatabase = async (folder: string, keys: number, secret: string): Promise<KeyDatabase> => {
  const path = join(folder, `${keys}-keys.db`)
  const url = `file:${path}`
  await (await openStorage(url)).close()
  const { seal, generation } = createTokenSealer(secret)
  fill(path, keys, generation)
  const tokenOf = (number: number): string => asIfReceived(seal(keyIdOf(number)))
  return {
    url,
    keys,
    unseen: count => Array.from({ length: count }, () => tokenOf(Math.floor(Math.random() * keys)))
  }
}

/**
 * Returns the token as a flat string, as if it had been received. Otherwise, V8 would flatten the concatenated string
 * when it's first read.
 */
export const asIfReceived = (token: string): string => Buffer.from(token).toString()

const keyIdOf = (number: number): string => hash('sha256', `key ${number}`).slice(0, KEY_ID_DIGITS)

const fill = (path: string, keys: number, generation: string): void => {
  const db = new Database(path)
  db.pragma('journal_mode = OFF')
  db.pragma('synchronous = OFF')
  // Digests are inserted in random order. With a cache of this size, each page of the index is written only once.
  db.pragma(`cache_size = -${CACHE_KIB}`)
  const addKey = db.prepare(`
    insert into client_keys (row, id, name, scopes, enabled, allowed_ips, metadata, created_at, created_by)
    values (?, ?, ?, '${SCOPES}', 1, '[]', '{}', '${AT}', '${CREATED_BY}')
  `)
  const addToken = db.prepare(`
    insert into client_key_tokens (digest, client_key, generation, hint, created_at) values (?, ?, '${generation}',
      'abcd', '${AT}')
  `)
  db.transaction(() => {
    for (let number = 0; number < keys; number++) {
      addKey.run(number + 1, newId(), `key ${number}`)
      addToken.run(digestOf(keyIdOf(number)), number + 1)
    }
  })()
  db.close()
}
