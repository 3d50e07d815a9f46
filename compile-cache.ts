import module from 'node:module'
import { pathOf } from './paths.ts'

// Node 22.1 and later cache the compiled code of modules that are imported after this call. If the cache can't be
// written, Node continues without it.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown }
enableCompileCache?.(pathOf('.compile-cache'))
