import { isUtf8 } from 'node:buffer'

/** U+FFFD, which a decoder puts in the place of bytes that are not UTF-8. */
export const REPLACEMENT = '\uFFFD'

/** Bytes as text, without the byte order mark that some programs begin it with; null: they are not UTF-8. */
export const utf8Text = (bytes: Uint8Array): string | null => (isUtf8(bytes) ? new TextDecoder().decode(bytes) : null)
