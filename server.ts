import './compile-cache.ts'
import { endOnSignals } from './first-process.ts'

endOnSignals()

// Imported dynamically so that the compile cache is already enabled.
await import('./service.ts')
