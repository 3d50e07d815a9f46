import { styleText } from 'node:util'
import type { Environment } from '../config/read.ts'

/** Whether a stream shows colours: it is a terminal, and NO_COLOR is not set (https://no-color.org). */
export const showsColour = ({ isTTY }: { isTTY?: boolean }, env: Environment): boolean =>
  isTTY === true && (env['NO_COLOR'] ?? '') === ''

// By default Node looks at its own standard output, which may not be the stream that the text is for.
const AS_TOLD = { validateStream: false }

export const bold = (text: string): string => styleText('bold', text, AS_TOLD)
export const cyan = (text: string): string => styleText('cyan', text, AS_TOLD)
export const red = (text: string): string => styleText('red', text, AS_TOLD)
