import { sample } from '../db/sample.ts'
import { shownUrl } from '../net/database-url.ts'
import { createPasswordHasher } from '../domain/users/passwords.ts'
import { command, DONE, jsonOption } from './command.ts'
import { loadSampleData, loginRows, LOST_PASSWORDS, openSample, sampleUrl } from './sample-data.ts'
import type { SampleLogin } from './sample-data.ts'
import type { Terminal } from './terminal.ts'

export default command({
  description: `Loads sample data: a few users, organizations and two dozen apps with tags, the same ones every time.
Each user gets a random password, which is printed this once.

Sample data gets a database of its own, file:./data/sample.db or a new one that DATABASE_URL names. It is marked as
sample data for ever: the service does not serve it beyond this machine, and it is never copied to PostgreSQL. A
database that has tables and no such mark is refused.`,

  options: jsonOption('a JSON array of the e-mail addresses and the passwords; empty if the data was there already'),

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
    terminal.print(`The database ${database} has data already. Nothing was changed: its users keep their passwords.`)
    return
  }
  const { users, organizations, apps } = sample
  const counts = `${users.length} users, ${organizations.length} organizations and ${apps.length} apps`
  terminal.print(`Loaded ${counts} into ${database}, which is marked as sample data.
The users sign in with these passwords, which can't be shown again:
`)
  terminal.printTable(loginRows(logins).map(row => ['', ...row]))
  terminal.print(`\nThe service serves it to this machine only, with DATABASE_URL=${database}`)
}
