import { readConfig } from '../config/read.ts'
import { writeGrants } from '../db/open.ts'
import { command, DONE } from './command.ts'

export default command({
  description: `Prints the SQL statements that give a PostgreSQL role only the privileges that a node needs in the
database specified by DATABASE_URL. With these privileges, the role can't alter or drop tables, and can't change the
audit trail. The command itself doesn't change anything.

Run db migrate first, then pipe the statements to psql as the owner of the tables. Repeat this each time you run db
migrate.`,

  argument: { name: 'role', help: 'the role that the nodes use in their DATABASE_URL' },

  run: async (_, terminal, role) => {
    const config = readConfig(terminal.environment(), ['DATABASE_URL', 'DATABASE_CA', 'DATABASE_LISTEN_URL'])
    terminal.print(await writeGrants(config, role))
    await terminal.flush('Run the command again.')
    return DONE
  }
})
