import { fileURLToPath } from 'node:url'

/**
 * A path below the folder that the program is in: that of the sources, or `dist/`, which is laid out as they are. This
 * file stands where it does since the build puts what several files share into `dist/` itself.
 */
export const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
