import { contracts } from './contracts.ts'
import { sqlite } from './engines.ts'

contracts('SQLite', sqlite)
