import Database from 'better-sqlite3'
import { DescriptiveNameTaken, OwnerNotFound, ServiceUnavailable } from '../../problems/table.ts'

/** Runs a piece of work on the database and turns what SQLite reports into failures of the domain. */
export const attempt = <T>(work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw asFailure(error)
  }
}

const asFailure = (error: unknown): unknown => {
  if (!(error instanceof Database.SqliteError)) return error
  if (error.code.startsWith('SQLITE_BUSY')) return new ServiceUnavailable()
  if (error.code === 'SQLITE_CONSTRAINT_FOREIGNKEY') return new OwnerNotFound()
  if (error.code === 'SQLITE_CONSTRAINT_UNIQUE' && error.message.includes('descriptive_name')) return new DescriptiveNameTaken()
  return error
}
