import { readConfig } from '../config/read.ts'
import { shownUrl } from '../net/database-url.ts'
import { command, DONE } from './command.ts'
import { withStorage } from './storage.ts'

export default command({
  description: `Applies missing migrations to the database specified by DATABASE_URL. If an SQLite file doesn't exist,
it is created. The service does the same when it starts, if the role in its DATABASE_URL has the required privileges.`,

  run: async (_, terminal) => {
    const { DATABASE_URL } = readConfig(terminal.environment(), ['DATABASE_URL'])
    await withStorage(terminal, async () => {})
    terminal.print(`The database ${shownUrl(DATABASE_URL)} is up to date.`)
    return DONE
  }
})
