import './compile-cache.ts'

// Late, so that the cache holds it.
await import('./service.ts')
