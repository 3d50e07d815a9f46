import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from '../app.ts'
import { readConfig } from '../config/read.ts'
import { command, DONE } from './command.ts'

export default command({
  description: `Prints the OpenAPI document of the API as JSON. The command doesn't need any configuration, and doesn't
open the configured database. The server URL in the document is PUBLIC_URL, or is built from the default HOST and PORT
if PUBLIC_URL is empty. A running service serves the document, with its own URL, at /docs/json.

npm prints a heading before the document. To print only the document, run npm run --silent openapi.`,

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
