import { styleText } from 'node:util'
import type { Environment } from '../config/read.ts'

/** Returns whether the stream is a terminal and `NO_COLOR` isn't set (https://no-color.org). */
export const showsColour = ({ isTTY }: { isTTY?: boolean }, env: Environment): boolean =>
  isTTY === true && (env['NO_COLOR'] ?? '') === ''

// By default, `styleText` checks `process.stdout`, but the text may be written to another stream.
const UNCHECKED = { validateStream: false }

export const bold = (text: string): string => styleText('bold', text, UNCHECKED)
export const cyan = (text: string): string => styleText('cyan', text, UNCHECKED)
export const red = (text: string): string => styleText('red', text, UNCHECKED)
