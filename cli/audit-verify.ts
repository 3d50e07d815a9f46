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
  const [, sequence, hash] = /^(0|[1-9]\d{0,14}):([0-9a-f]{64})$/.exec(noted) ?? []
  if (hash === undefined) {
    throw new UsageError('--noted must be the number of an entry, a colon and its hash, as this command prints them.')
  }
  return { sequence: Number(sequence), hash }
}

export default command({
  description: `Checks whether the audit trail is intact, and if not, reports the first entry that has been altered,
removed or inserted. The command prints the number and the hash of the last entry. Store them where people with access
to the database can't change them, and pass them to the next run with --noted. The command then also detects whether the
whole trail has been replaced.`,
  notes: 'Exit code: 0 if the audit trail is intact, 1 if not.',

  options: {
    noted: { value: '<number>:<hash>', help: 'the last entry, as printed by an earlier run' },
    ...jsonOption('print one JSON object')
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
    ? 'The audit trail has no entries. Either nothing was ever changed, or all entries were deleted.'
    : `The audit trail is intact. The last entry is ${sequence}:${hash}`

/** Verifies the database's audit trail. If `noted` is given, also checks that the trail contains this entry. */
export const verifyDatabase = async (terminal: Terminal, noted: AuditHead | undefined): Promise<Verification> =>
  await withStorage(terminal, async storage => await createAuditService(storage).verify(noted), { readOnly: true })
