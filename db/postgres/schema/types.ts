import { bigint, customType } from 'drizzle-orm/pg-core'

/** Text that is ordered and compared by code point, as SQLite does it, whatever the locale of the database. */
export const text = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })

/** A SHA-256: 64 hexadecimal digits here, 32 bytes in the database. */
export const digest = customType<{ data: string; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: hex => Buffer.from(hex, 'hex'),
  fromDriver: bytes => bytes.toString('hex')
})

/** An integer up to 2^53, so that no number which a client sends is out of its range. */
export const integer = (name: string) => bigint(name, { mode: 'number' })
