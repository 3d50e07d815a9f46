import { fileURLToPath } from 'node:url'

/**
 * Returns the absolute path of one of the program's files. `name` is relative to the source folder, or to `dist/` if
 * the program was built; both have the same layout. This file must stay at the top level, because the bundler puts
 * shared code at the top level of `dist/`.
 */
export const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
