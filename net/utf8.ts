import { isUtf8 } from 'node:buffer'

/** U+FFFD, which replaces bytes that aren't UTF-8 when they are decoded. */
export const REPLACEMENT = '\uFFFD'

/** Decodes UTF-8, and removes the byte order mark that some programs write. Returns null if the bytes aren't UTF-8. */
export const utf8Text = (bytes: Uint8Array): string | null => (isUtf8(bytes) ? new TextDecoder().decode(bytes) : null)
