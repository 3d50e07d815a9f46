import { readConfig } from '../config/read.ts'
import { openStorage } from '../db/open.ts'
import { command, DONE } from './command.ts'

export default command({
  description: `Brings the database of DATABASE_URL up to date, and makes it where there is none. The service does the
same when it starts.`,

  run: async (_, terminal) => {
    const { DATABASE_URL } = readConfig(terminal.environment(), ['DATABASE_URL'])
    await (await openStorage(DATABASE_URL)).close()
    terminal.print(`The database ${DATABASE_URL} is up to date.`)
    return DONE
  }
})
