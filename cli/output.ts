import { createWriteStream, fstatSync } from 'node:fs'
import type { Output } from './terminal.ts'

/**
 * Standard output as a command writes to it. Node's own stream for a file does not write what a disk that is nearly
 * full has no room for, and reports no failure.
 */
export const outputOf = (stdout: Output & { readonly fd: number }): Output =>
  fstatSync(stdout.fd).isFile() ? createWriteStream('', { fd: stdout.fd, autoClose: false }) : stdout
