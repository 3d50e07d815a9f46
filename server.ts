import './compile-cache.ts'
import { endOnSignals } from './first-process.ts'

endOnSignals()

// Imported dynamically, so that the compile cache covers it.
await import('./service.ts')
