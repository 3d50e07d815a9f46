import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from '../app.ts'
import { readConfig } from '../config/read.ts'
import { command, DONE } from './command.ts'

export default command({
  description: `Prints the OpenAPI document of the API as JSON. It needs no configuration and touches no database. Its
server is PUBLIC_URL, or that of the default HOST and PORT if PUBLIC_URL is empty; the document that a service serves
at /docs/json has the URL of that service.

npm prints a heading of its own; npm run --silent openapi prints the document only.`,

  run: async (_, terminal) => {
    const { PUBLIC_URL } = readConfig(terminal.environment(), ['PUBLIC_URL'])
    const folder = mkdtempSync(join(tmpdir(), 'trivial-'))
    try {
      const fastify = await createServer({
        CLIENT_SECRET: randomBytes(32).toString('hex'),
        DATABASE_URL: `file:${join(folder, 'empty.db')}`,
        LOG_LEVEL: 'silent'
      })
      await fastify.ready()
      const { HOST, PORT } = fastify.config
      terminal.print(JSON.stringify(await fastify.openapi(PUBLIC_URL || `http://${HOST}:${PORT}`), null, 2))
      await fastify.close()
      return DONE
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
})
