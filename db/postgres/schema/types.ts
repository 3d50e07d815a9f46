import { bigint, customType } from 'drizzle-orm/pg-core'

/** Text that is ordered and compared by code point, as in SQLite, regardless of the database's locale. */
export const text = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })

/** A SHA-256 digest: 64 hexadecimal digits in the program, 32 bytes in the database. */
export const digest = customType<{ data: string; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: hex => Buffer.from(hex, 'hex'),
  fromDriver: bytes => bytes.toString('hex')
})

/** An integer up to 2^53, so that no number that a client sends is out of range. */
export const integer = (name: string) => bigint(name, { mode: 'number' })
