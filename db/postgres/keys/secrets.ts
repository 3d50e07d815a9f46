import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toText } from '../../instants.ts'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { underLock } from '../locking.ts'

const RECORDED = 'select generation from secret_generations order by generation'
// Those with a lease: a node without one is never evicted, so that nobody can tell whether it still runs.
const NODES = `
  select generations from nodes
  where generations is not null and evicted_at is null and lease_ms > 0 order by started_at, id
`
const FORGET = 'delete from secret_generations where generation <> all($1::text[])'
const RECORD = `
  insert into secret_generations (generation, recorded_at) select generation, $2 from unnest($1::text[]) as generation
  on conflict do nothing
`

/** Makes the rows of the secrets that nodes have. */
export const createSecretRows = (db: PostgresDatabase): Pick<KeyRows, 'secretState' | 'recordGenerations'> => ({
  // A statement of its own takes the lock: so the next ones see what was committed before it.
  secretState: async () => {
    const [recorded, nodes] = await underLock(
      lock(db, 'keyChanges'),
      Promise.all([query(db, RECORDED), query(db, NODES)])
    )
    return {
      recorded: recorded.rows.map(({ generation }) => String(generation)),
      nodes: nodes.rows.map(({ generations }) => JSON.parse(String(generations)) as string[])
    }
  },

  recordGenerations: async (generations, at) => {
    await query(db, FORGET, [[...generations]])
    await query(db, RECORD, [[...generations], toText(at)])
  }
})
