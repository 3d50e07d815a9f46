import { readConfig } from '../config/read.ts'
import { backUp } from '../db/open.ts'
import { command, DONE } from './command.ts'
import { toPath } from './option-values.ts'

export default command({
  description: `Copies the current state of the database specified by DATABASE_URL to a new file that only its owner can
read. The service can keep running. Before the copy gets its final name, the command checks the rows in each table, the
last entry in the audit trail, and the file itself.

To restore a backup, stop the service, move the database and its -wal and -shm files to another folder, and copy the
backup to the database's path.`,

  argument: { name: 'file', help: 'the path of the backup, which must not exist yet' },

  run: async (_, terminal, file) => {
    const path = toPath(terminal.cwd, file)
    const { DATABASE_URL } = readConfig(terminal.environment(), ['DATABASE_URL'])
    const { rows, head } = await backUp(DATABASE_URL, path, (copied, total) => {
      terminal.progress(`${Math.floor((100 * copied) / total)} % of ${total} pages`)
    })
    const counts = Object.values(rows)
    const sum = counts.reduce((all, count) => all + count, 0)
    terminal.print(`The database ${DATABASE_URL} was backed up: ${sum} rows in ${counts.length} tables.
${head === null ? 'Its audit trail has no entries.' : `The last entry of its audit trail is ${head}`}`)
    return DONE
  }
})
