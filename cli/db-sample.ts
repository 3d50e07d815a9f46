import { sample } from '../db/sample.ts'
import { shownUrl } from '../net/database-url.ts'
import { createPasswordHasher } from '../domain/users/passwords.ts'
import { command, DONE, jsonOption } from './command.ts'
import { loadSampleData, loginRows, LOST_PASSWORDS, openSample, sampleUrl } from './sample-data.ts'
import type { SampleLogin } from './sample-data.ts'
import type { Terminal } from './terminal.ts'

export default command({
  description: `Loads sample data, which is always the same: a few users, a few organizations and two dozen apps with
tags. Each user gets a random password, which is printed only once.

Sample data is stored in a separate database: file:./data/sample.db, or a new one specified by DATABASE_URL. The
database is permanently marked as sample data: it is available only on this machine, and can't be copied to PostgreSQL.
The command refuses to use a database that has tables but isn't marked as sample data.`,

  options: jsonOption(
    'print a JSON array of the e-mail addresses and passwords, which is empty if the data has already been loaded'
  ),

  run: async ({ json = false }, terminal) => {
    const env = terminal.environment()
    const url = env['DATABASE_URL'] ?? sampleUrl(terminal)
    const storage = await openSample({ ...env, DATABASE_URL: url })
    try {
      const logins = await loadSampleData(storage, createPasswordHasher())
      if (json) terminal.printJson(logins ?? [])
      else print(terminal, shownUrl(url), logins)
      await terminal.flush(LOST_PASSWORDS)
      return DONE
    } finally {
      await storage.close()
    }
  }
})

const print = (terminal: Terminal, database: string, logins: readonly SampleLogin[] | null): void => {
  if (logins === null) {
    terminal.print(
      `The database ${database} already contains data. Nothing was changed: its users keep their passwords.`
    )
    return
  }
  const { users, organizations, apps } = sample
  const counts = `${users.length} users, ${organizations.length} organizations and ${apps.length} apps`
  terminal.print(`Loaded ${counts} into ${database}, which is marked as sample data.
The users can sign in with these passwords, which can't be shown again:
`)
  terminal.printTable(loginRows(logins).map(row => ['', ...row]))
  terminal.print(`\nThe service serves this data only to this machine. Start it with DATABASE_URL=${database}`)
}
