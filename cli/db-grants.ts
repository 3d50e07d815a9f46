import { readConfig } from '../config/read.ts'
import { writeGrants } from '../db/open.ts'
import { command, DONE } from './command.ts'

export default command({
  description: `Prints the SQL statements that give a role of PostgreSQL the rights that a node needs to serve from the
database of DATABASE_URL, and no others: the role can't change or drop tables, nor the audit trail. Nothing is changed.

Run db migrate first, and pipe the statements to psql as the owner of the tables. Do so again after each db migrate.`,

  argument: { name: 'role', help: 'the role in DATABASE_URL of the nodes' },

  run: async (_, terminal, role) => {
    const config = readConfig(terminal.environment(), ['DATABASE_URL', 'DATABASE_CA', 'DATABASE_LISTEN_URL'])
    terminal.print(await writeGrants(config, role))
    await terminal.flush('Run this again.')
    return DONE
  }
})
