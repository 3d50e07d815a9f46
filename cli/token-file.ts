import { appendFileSync, closeSync, fsyncSync, ftruncateSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { CommandError } from './failures.ts'

/** A new file that takes new tokens, for its owner only. */
export interface TokenFile {
  /** Writes a line of JSON, which is on the disk then. Throws a CommandError, with the file as before. */
  append: (line: object) => void
  /** Its size in bytes. */
  size: () => number
  /** Takes back what was written after the file had this size. */
  cut: (size: number) => void
  /** Closes the file, and deletes it where nothing is in it. */
  close: () => void
}

/** Makes the file. Throws a CommandError where it can't be made or is there already. */
export const createTokenFile = (path: string): TokenFile => {
  const descriptor = openNew(path)
  let size = 0
  return {
    append: line => {
      const text = `${JSON.stringify(line)}\n`
      try {
        appendFileSync(descriptor, text)
        fsyncSync(descriptor)
      } catch (error) {
        ftruncateSync(descriptor, size)
        throw new CommandError(`${path} can't be written: ${(error as Error).message}`)
      }
      size += Buffer.byteLength(text)
    },
    size: () => size,
    cut: to => {
      ftruncateSync(descriptor, to)
      size = to
    },
    close: () => {
      closeSync(descriptor)
      if (size === 0) rmSync(path)
    }
  }
}

const openNew = (path: string): number => {
  try {
    const folder = openSync(dirname(path), 'r')
    try {
      // To append, so that what is written after a cut begins where the file ends.
      const descriptor = openSync(path, 'ax', 0o600)
      // Its name must survive a power cut as its lines do.
      fsyncSync(folder)
      return descriptor
    } finally {
      closeSync(folder)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === 'EEXIST'
      ? new CommandError(`${path} exists already, and is left as it is.`, 'Name a new file.')
      : new CommandError(`${path} can't be made: ${message}`)
  }
}
