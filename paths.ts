import { fileURLToPath } from 'node:url'

/**
 * Returns the absolute path of one of the program's files. `name` is relative to the folder of the sources, or to
 * `dist/`, which has the same layout. This file must stay at the top level, because the bundler puts shared code into
 * `dist/`.
 */
export const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
