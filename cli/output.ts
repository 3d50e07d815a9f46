import { createWriteStream, fstatSync } from 'node:fs'
import type { Output } from './terminal.ts'

/**
 * Returns the stream that commands use for standard output. If standard output is a file, this is a new stream, because
 * `process.stdout` doesn't report an error when the disk is full.
 */
export const outputOf = (stdout: Output & { readonly fd: number }): Output =>
  fstatSync(stdout.fd).isFile() ? createWriteStream('', { fd: stdout.fd, autoClose: false }) : stdout
