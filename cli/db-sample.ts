import { readConfig } from '../config/read.ts'
import { openStores } from '../db/open.ts'
import { sample, SAMPLE_PASSWORD } from '../db/sample.ts'
import { createPasswordHasher } from '../domain/users/passwords.ts'
import { command, DONE } from './command.ts'
import { CommandError } from './failures.ts'
import { cliOrigin } from './origin.ts'

export default command({
  help: `npm run db:sample

Loads sample data into the database of DATABASE_URL: a few users, organizations and two dozen apps with tags, the same
ones every time. Everybody knows the password of its users, so it refuses a database that has apps, users or organizations.`,

  options: {},

  run: async (_, terminal) => {
    const { DATABASE_URL } = readConfig(terminal.environment(), ['DATABASE_URL'])
    const stores = openStores(DATABASE_URL)
    try {
      if (!(await stores.loadSample(sample, await createPasswordHasher().hash(SAMPLE_PASSWORD), cliOrigin()))) {
        throw new CommandError(
          `The database ${DATABASE_URL} has apps, users or organizations already; nothing was changed. Set DATABASE_URL to a new file to look at the sample.`
        )
      }
      terminal.print(
        `Loaded ${sample.users.length} users, ${sample.organizations.length} organizations and ${sample.apps.length} apps into ${DATABASE_URL}. Every user signs in with the password: ${SAMPLE_PASSWORD}`
      )
      return DONE
    } finally {
      stores.close()
    }
  }
})
