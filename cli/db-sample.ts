import { readConfig } from '../config/read.ts'
import { loadSample } from '../db/load-sample.ts'
import { sample, SAMPLE_PASSWORD } from '../db/sample.ts'
import { shownUrl } from '../db/url.ts'
import { createPasswordHasher } from '../domain/users/passwords.ts'
import { command, DONE } from './command.ts'
import { CommandError } from './failures.ts'
import { operatorContext } from './operator.ts'
import { withStorage } from './storage.ts'

export default command({
  description: `Loads sample data into the database of DATABASE_URL: a few users, organizations and two dozen apps with
tags, the same ones every time. Everybody knows the password of its users, so it refuses a database that has apps,
users or organizations.`,

  run: async (_, terminal) => {
    const database = shownUrl(readConfig(terminal.environment(), ['DATABASE_URL']).DATABASE_URL)
    return await withStorage(terminal, async storage => {
      const passwordHash = await createPasswordHasher().hash(SAMPLE_PASSWORD)
      if (!(await loadSample(storage, { sample, passwordHash, context: operatorContext() }))) {
        throw new CommandError(
          `The database ${database} has apps, users or organizations already; nothing was changed.`,
          'Set DATABASE_URL to a new database to look at the sample.'
        )
      }
      const { users, organizations, apps } = sample
      const counts = `${users.length} users, ${organizations.length} organizations and ${apps.length} apps`
      terminal.print(`Loaded ${counts} into ${database}. Every user signs in with the password: ${SAMPLE_PASSWORD}`)
      return DONE
    })
  }
})
