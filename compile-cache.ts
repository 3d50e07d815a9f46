import module from 'node:module'
import { pathOf } from './paths.ts'

// In Node.js 22.1 and later, this enables the compile cache for modules that are imported afterwards. If the cache
// can't be written, Node.js continues without it.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown }
enableCompileCache?.(pathOf('.compile-cache'))
