import { readConfig } from '../config/read.ts'
import { databaseExists } from '../db/open.ts'
import type { AuditHead } from '../domain/audits/rows.ts'
import { command, DONE, jsonOption } from './command.ts'
import { CommandError, UsageError } from './failures.ts'
import type { Verification } from '../domain/audits/chain.ts'
import { createAuditService } from '../domain/audits/service.ts'
import { withStorage } from './storage.ts'
import type { Terminal } from './terminal.ts'

const toHead = (noted: string): AuditHead => {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(noted) ?? []
  if (hash === undefined) {
    throw new UsageError('--noted must be the number of an entry, a colon and its hash, as this command printed them.')
  }
  return { sequence: Number(sequence), hash }
}

export default command({
  description: `Walks the audit trail and tells whether it is whole, or which is the first entry that was altered,
removed or inserted. It prints the number and the hash of the last entry: note them where who has the database can't
write, and give them the next time, which tells as well whether the whole trail was replaced.`,
  notes: 'Exit code 0: it is whole. 1: it is not.',

  options: {
    noted: { value: '<number>:<hash>', help: 'what was printed an earlier time' },
    ...jsonOption('one JSON object')
  },

  run: async ({ noted, json = false }, terminal) => {
    const head = noted === undefined ? undefined : toHead(noted)
    const { DATABASE_URL } = readConfig(terminal.environment(), ['DATABASE_URL'])
    if (!(await databaseExists(DATABASE_URL))) {
      throw new CommandError(`There is no database ${DATABASE_URL}, so there is nothing to verify.`)
    }
    const result = await verifyDatabase(terminal, head)
    if (json) terminal.printJson(result)
    if (!result.whole) throw new CommandError(`The audit trail is broken: entry ${result.sequence} ${result.fault}.`)
    if (!json) terminal.print(describe(result.head))
    return DONE
  }
})

const describe = ({ sequence, hash }: AuditHead): string =>
  sequence === 0
    ? 'The audit trail has no entry: nothing was ever changed here, or all of it is gone.'
    : `The audit trail is whole, up to entry ${sequence}:${hash}`

/** Walks the audit trail of the database, and compares it with an entry that was noted. */
export const verifyDatabase = async (terminal: Terminal, noted: AuditHead | undefined): Promise<Verification> =>
  await withStorage(terminal, async storage => await createAuditService(storage).verify(noted), { readOnly: true })
