import { importTests } from '../suite.ts'

await importTests(import.meta.dirname)
