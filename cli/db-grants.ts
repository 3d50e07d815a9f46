import { readConfig } from '../config/read.ts'
import { writeGrants } from '../db/open.ts'
import { command, DONE } from './command.ts'

export default command({
  description: `Prints the SQL statements that give a PostgreSQL role only the rights that a node needs in the database
of DATABASE_URL. With these rights, the role can't alter or drop tables, and can't change the audit trail. The command
itself changes nothing.

Run db migrate first, and pipe the statements to psql as the owner of the tables. Repeat this after each db migrate.`,

  argument: { name: 'role', help: 'the role in the DATABASE_URL of the nodes' },

  run: async (_, terminal, role) => {
    const config = readConfig(terminal.environment(), ['DATABASE_URL', 'DATABASE_CA', 'DATABASE_LISTEN_URL'])
    terminal.print(await writeGrants(config, role))
    await terminal.flush('Run the command again.')
    return DONE
  }
})
