import { createWriteStream, fstatSync } from 'node:fs'
import type { Output } from './terminal.ts'

/**
 * Returns the stream through which commands write to standard output. If standard output is a file, this is a new
 * stream, because Node.js's own stream loses any data that doesn't fit on the disk, without reporting an error.
 */
export const outputOf = (stdout: Output & { readonly fd: number }): Output =>
  fstatSync(stdout.fd).isFile() ? createWriteStream('', { fd: stdout.fd, autoClose: false }) : stdout
