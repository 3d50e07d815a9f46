import { resolve } from 'node:path'
import { readConfig } from '../config/read.ts'
import { backUp } from '../db/open.ts'
import { command, DONE } from './command.ts'

export default command({
  description: `Copies the database of DATABASE_URL, as it is now, to a new file that only its owner may read. The
service may run meanwhile. The copy is checked before it gets its name: the rows of each table, the last entry of the
audit trail, and the file itself.

To restore it, stop the service, move the database and the -wal and -shm files beside it away, and copy the backup to
its place.`,

  argument: { name: 'file', help: 'where the backup goes, under a name that nothing has yet' },

  run: async (_, terminal, file) => {
    const { DATABASE_URL } = readConfig(terminal.environment(), ['DATABASE_URL'])
    const { rows, head } = await backUp(DATABASE_URL, resolve(terminal.cwd, file), (copied, total) => {
      terminal.progress(`${Math.floor((100 * copied) / total)} % of ${total} pages`)
    })
    const counts = Object.values(rows)
    const sum = counts.reduce((all, count) => all + count, 0)
    terminal.print(`The database ${DATABASE_URL} is backed up: ${sum} rows in ${counts.length} tables.
${head === null ? 'Its audit trail has no entry.' : `The last entry of its audit trail is ${head}`}`)
    return DONE
  }
})
