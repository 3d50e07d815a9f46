import { createWriteStream, fstatSync } from 'node:fs'
import type { Output } from './terminal.ts'

/**
 * Returns the stream through which commands write to standard output. If standard output is a file and the disk is
 * nearly full, Node.js's own stream loses what doesn't fit and reports no error, so another one is created.
 */
export const outputOf = (stdout: Output & { readonly fd: number }): Output =>
  fstatSync(stdout.fd).isFile() ? createWriteStream('', { fd: stdout.fd, autoClose: false }) : stdout
