import { openSync, readSync } from 'node:fs'
import type { Database } from 'better-sqlite3'

/** The first copy of the header of the WAL index, and the version of its format (https://sqlite.org/walformat.html). */
const HEADER_BYTES = 48
const FORMAT = 3_007_000

/**
 * Makes the function that tells whether anybody, this process included, committed anything since it was last asked; the first time
 * it says so. It is asked for each request, so it reads the header of the WAL index, which every commit replaces before it
 * returns: it is what SQLite compares itself to answer `pragma data_version`, which takes locks as well and several
 * times as long. That pragma is what is asked where there is no WAL index of the known format.
 */
export const createChangeSign = (client: Database): (() => boolean) => {
  const index = openWalIndex(client)
  if (index === null) return createPragmaSign(client)

  let seen = Buffer.alloc(HEADER_BYTES)
  let header = Buffer.alloc(HEADER_BYTES)
  return () => {
    // What is read while it is being written differs from what was seen before and from what is seen next: it counts as changed twice.
    readSync(index, header, 0, HEADER_BYTES, 0)
    if (header.equals(seen)) return false
    ;[seen, header] = [header, seen]
    return true
  }
}

/**
 * The file is never closed: POSIX has a process lose its locks on a file when it closes any descriptor of it, and the locks here
 * are SQLite's.
 */
const openWalIndex = (client: Database): number | null => {
  try {
    const index = openSync(`${client.name}-shm`, 'r')
    const header = Buffer.alloc(HEADER_BYTES)
    const isKnown = readSync(index, header, 0, HEADER_BYTES, 0) === HEADER_BYTES && new Uint32Array(header.buffer, header.byteOffset, 1)[0] === FORMAT
    return isKnown ? index : null
  } catch {
    return null
  }
}

const createPragmaSign = (client: Database): (() => boolean) => {
  const dataVersion = client.prepare<[], number>('pragma data_version').pluck()
  const ownChanges = client.prepare<[], number>('select total_changes()').pluck()
  let seen = ''
  return () => {
    // The pragma stands still for what this connection writes.
    const now = `${dataVersion.get()} ${ownChanges.get()}`
    if (now === seen) return false
    seen = now
    return true
  }
}
