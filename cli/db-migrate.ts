import { environment, readConfig } from '../config/read.ts'
import { openStores } from '../db/open.ts'
import { runCommand } from './command.ts'

await runCommand({
  help: `npm run db:migrate

Brings the database of DATABASE_URL up to date, and makes it where there is none. The service does the same when it starts.`,

  options: {},

  run: async () => {
    const { DATABASE_URL } = readConfig(environment(), ['DATABASE_URL'])
    openStores(DATABASE_URL).close()
    console.log(`The database ${DATABASE_URL} is up to date.`)
  }
})
