import { notInArray } from 'drizzle-orm'
import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toText } from '../../timestamps.ts'
import type { SqliteDatabase } from '../database.ts'
import { secretGenerations } from '../schema.ts'

/** Creates the rows for the processes' secrets. Processes aren't stored as nodes. */
export const createSecretRows = (db: SqliteDatabase): Pick<KeyRows, 'secretState' | 'recordGenerations'> => ({
  // The transaction has exclusive access to the database.
  secretState: async () => ({
    recorded: db
      .select({ generation: secretGenerations.generation })
      .from(secretGenerations)
      .orderBy(secretGenerations.generation)
      .all()
      .map(({ generation }) => generation),
    nodes: []
  }),

  recordGenerations: async (generations, at) => {
    db.delete(secretGenerations)
      .where(notInArray(secretGenerations.generation, [...generations]))
      .run()
    for (const generation of generations) {
      db.insert(secretGenerations)
        .values({ generation, recordedAt: toText(at) })
        .onConflictDoNothing()
        .run()
    }
  }
})
