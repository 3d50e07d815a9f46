import './compile-cache.ts'
import { endOnSignals } from './first-process.ts'

endOnSignals()

// Late, so that the cache holds it.
await import('./service.ts')
