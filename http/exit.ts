import { ConfigError } from '../config/read.ts'

/** Ends the process with exit code 1, saying why: one readable message where the operator can mend it, else the stack. */
export const exitWith = (error: unknown): never => {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exit(1)
}
