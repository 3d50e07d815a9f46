import { appendFileSync, closeSync, fsyncSync, ftruncateSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { CommandError } from './failures.ts'

/** A file for new tokens or passwords. Only its owner may read it. */
export interface TokenFile {
  /** Appends a line of JSON and flushes it to disk. If that fails, restores the file and throws a CommandError. */
  append: (line: object) => void
  /** Returns the size of the file in bytes. */
  size: () => number
  /** Truncates the file to `size` bytes. */
  cut: (size: number) => void
  /** Closes the file, and deletes it if it's empty. */
  close: () => void
}

/** Creates the file. Throws a CommandError if it already exists or can't be created. */
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
      // Appends, so that a write after a truncation begins at the new end of the file.
      const descriptor = openSync(path, 'ax', 0o600)
      // Flushes the directory entry, too, so that the file survives a power failure.
      fsyncSync(folder)
      return descriptor
    } finally {
      closeSync(folder)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === 'EEXIST'
      ? new CommandError(`${path} already exists and was not changed.`, 'Specify a new file.')
      : new CommandError(`${path} can't be created: ${message}`)
  }
}
