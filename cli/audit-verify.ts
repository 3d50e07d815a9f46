import { existsSync } from 'node:fs'
import { verifyTrail } from '../domain/audits/chain.ts'
import type { Head } from '../domain/audits/chain.ts'
import { readConfig } from '../config/read.ts'
import { openStores } from '../db/open.ts'
import { command, DONE } from './command.ts'
import { CommandError, UsageError } from './failures.ts'

const toHead = (noted: string): Head => {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(noted) ?? []
  if (hash === undefined) {
    throw new UsageError('--noted must be the number of an entry, a colon and its hash, as this command printed them.')
  }
  return { sequence: Number(sequence), hash }
}

export default command({
  help: `npm run audit:verify [-- --noted <number>:<hash>] [--json]

Walks the audit trail and tells whether it is whole, or which is the first entry that was altered, removed or inserted. It prints
the number and the hash of the last entry: note them where who has the database can't write, and give them the next time, which
tells as well whether the whole trail was replaced.

  --noted <number>:<hash>   what was printed an earlier time
  --json                    one JSON object
  --help                    this text

Exit code 0: it is whole. 1: it is not.`,

  options: { noted: { type: 'string' }, json: { type: 'boolean' } },

  run: async ({ noted, json }, terminal) => {
    const head = noted === undefined ? undefined : toHead(noted)
    const { DATABASE_URL } = readConfig(terminal.environment(), ['DATABASE_URL'])
    if (!existsSync(DATABASE_URL.replace(/^file:/, ''))) {
      throw new CommandError(`There is no database ${DATABASE_URL}, so there is nothing to verify.`)
    }
    const stores = openStores(DATABASE_URL)
    try {
      const result = await verifyTrail(stores.audits.trail(), await stores.audits.written(), head)
      if (json === true) terminal.printJson(result)
      if (!result.whole) throw new CommandError(`The audit trail is broken: entry ${result.sequence} ${result.fault}.`)
      if (json !== true) {
        terminal.print(
          result.head.sequence === 0
            ? 'The audit trail has no entry: nothing was ever changed here, or all of it is gone.'
            : `The audit trail is whole, up to entry ${result.head.sequence}:${result.head.hash}`
        )
      }
      return DONE
    } finally {
      stores.close()
    }
  }
})
