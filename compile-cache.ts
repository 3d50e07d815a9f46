import module from 'node:module'
import { pathOf } from './paths.ts'

// Node 22.1 and later keep compiled code, of what is imported after this. Nothing fails if it can't be written.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown }
enableCompileCache?.(pathOf('.compile-cache'))
