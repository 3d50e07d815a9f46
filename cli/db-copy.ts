import { readConfig } from '../config/read.ts'
import { copyDatabase } from '../db/open.ts'
import { postgresUrlIssue, shownUrl } from '../net/database-url.ts'
import { command, DONE } from './command.ts'
import { CommandError, UsageError } from './failures.ts'

export default command({
  description: `Copies the SQLite database of DATABASE_URL, all of it, into an empty database of PostgreSQL, and
compares both: the rows of each table, and the audit trail. Keys, tokens, passwords and sessions go on working there
with the same CLIENT_SECRET.

Stop the service first. No other process can use the SQLite database meanwhile, and none opens the other one until all
is there. A copy that was interrupted goes on where it stopped when it is run again. At the end the SQLite database is
marked as copied: from then on it is only read, unless ALLOW_COPIED_DATABASE is true.`,
  notes: `Exit code 0: all is copied. 1: it is not, or the audit trail is broken, here as there.

Leave the password out of the URL, which ps and the history of the shell show: set PGPASSWORD, or use ~/.pgpass.`,

  options: {
    to: { value: '<url>', help: 'the URL of the empty database: postgres://… of the server itself, not of a pooler' }
  },

  run: async ({ to }, terminal) => {
    if (to === undefined) throw new UsageError('Name the database to copy into: --to postgres://…')
    const issue = postgresUrlIssue(to)
    if (issue !== null) throw new UsageError(`--to ${issue}.`)
    const config = readConfig(terminal.environment(), ['DATABASE_URL', 'DATABASE_CA'])
    const ca = config.DATABASE_CA === '' ? undefined : config.DATABASE_CA
    const { rows, trail } = await copyDatabase(config.DATABASE_URL, { url: to, ca }, (copied, total) => {
      terminal.progress(`${total === 0 ? 100 : Math.floor((100 * copied) / total)} % of ${total} rows`)
    })
    terminal.printTable([['TABLE', 'ROWS'], ...Object.entries(rows).map(([table, count]) => [table, String(count)])])
    terminal.print(`All of ${config.DATABASE_URL} is in ${shownUrl(to)}, counted in both.`)
    terminal.print('The service does not open the file any more.')
    if (!trail.whole) {
      throw new CommandError(`The audit trail is broken, here as there: entry ${trail.sequence} ${trail.fault}.`)
    }
    terminal.print(
      trail.head.sequence === 0
        ? 'Its audit trail has no entry.'
        : `The last entry of its audit trail is ${trail.head.sequence}:${trail.head.hash}`
    )
    return DONE
  }
})
