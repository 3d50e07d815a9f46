import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toText } from '../../timestamps.ts'
import { query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { awaitTable } from '../locking.ts'
import type { Outbox } from '../transaction.ts'
import { checkSecrets, readSecrets } from './change.ts'
import type { Attempt } from './change.ts'

const FORGET = 'delete from secret_generations where generation <> all($1::text[])'
const RECORD = `
  insert into secret_generations (generation, recorded_at) select generation, $2 from unnest($1::text[]) as generation
  on conflict do nothing
`

/** Creates the rows for the nodes' secrets. */
export const createSecretRows = (
  db: PostgresDatabase,
  attempt: Attempt,
  outbox: Outbox
): Pick<KeyRows, 'secretState' | 'recordGenerations'> => ({
  secretState: async () => await readSecrets(db, attempt),

  recordGenerations: async (generations, at) => {
    awaitTable(outbox, 'secret_generations')
    checkSecrets(attempt, outbox, toText(at))
    outbox.defer('write', async db => await query(db, FORGET, [[...generations]]))
    outbox.defer('write', async db => await query(db, RECORD, [[...generations], toText(at)]))
  }
})
