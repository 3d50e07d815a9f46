import { readConfig } from '../config/read.ts'
import { copyDatabase } from '../db/open.ts'
import { postgresUrlIssue, shownUrl } from '../net/database-url.ts'
import { command, DONE } from './command.ts'
import { CommandError, UsageError } from './failures.ts'

export default command({
  description: `Copies the whole SQLite database specified by DATABASE_URL to an empty PostgreSQL database, and compares
the rows in each table and the audit trail in both databases. Keys, tokens, passwords and sessions continue to work in
the new database with the same CLIENT_SECRET.

Stop the service first. While the command runs, no other process can use the SQLite database. No process can open the
PostgreSQL database until the copy is complete. If the copy is interrupted, run the command again to continue. At the
end, the SQLite database is marked as copied. After that, it is read-only unless ALLOW_COPIED_DATABASE is true.`,
  notes: `Exit code: 0 if everything was copied; 1 if it was not, or if the audit trail is broken in both databases.

Don't put the password in the URL, because ps and your shell history would show it.
Set PGPASSWORD or use ~/.pgpass instead.`,
  options: {
    to: {
      value: '<url>',
      help: 'the postgres:// URL of an empty database; connect to the server itself, not to a connection pooler'
    }
  },

  run: async ({ to }, terminal) => {
    if (to === undefined) throw new UsageError('Specify the database to copy into: --to postgres://…')
    const issue = postgresUrlIssue(to)
    if (issue !== null) throw new UsageError(`--to ${issue}.`)
    const config = readConfig(terminal.environment(), ['DATABASE_URL', 'DATABASE_CA'])
    const ca = config.DATABASE_CA === '' ? undefined : config.DATABASE_CA
    const { rows, trail } = await copyDatabase(config.DATABASE_URL, { url: to, ca }, (copied, total) => {
      terminal.progress(`${total === 0 ? 100 : Math.floor((100 * copied) / total)} % of ${total} rows`)
    })
    terminal.printTable([['TABLE', 'ROWS'], ...Object.entries(rows).map(([table, count]) => [table, String(count)])])
    terminal.print(`Copied ${config.DATABASE_URL} to ${shownUrl(to)}. Both databases have the same rows.`)
    terminal.print('The service no longer opens the SQLite file.')
    if (!trail.whole) {
      throw new CommandError(`The audit trail is broken in both databases: entry ${trail.sequence} ${trail.fault}.`)
    }
    terminal.print(
      trail.head.sequence === 0
        ? 'The audit trail has no entries.'
        : `The last entry of the audit trail is ${trail.head.sequence}:${trail.head.hash}`
    )
    return DONE
  }
})
