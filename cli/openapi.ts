import { randomBytes } from 'node:crypto'
import { createServer } from '../app.ts'
import { command, DONE } from './command.ts'

export default command({
  help: `npm run --silent openapi

Prints the OpenAPI document of the API as JSON. It needs no configuration and touches no database.
Its server is the one of the default HOST and PORT; the document that a service serves at /docs/json has the address of that service.`,

  options: {},

  run: async (_, terminal) => {
    const fastify = await createServer({
      CLIENT_SECRET: randomBytes(32).toString('hex'),
      DATABASE_URL: 'file::memory:',
      LOG_LEVEL: 'silent'
    })
    await fastify.ready()
    const { HOST, PORT } = fastify.config
    terminal.print(JSON.stringify(fastify.openapi(`http://${HOST}:${PORT}`), null, 2))
    await fastify.close()
    return DONE
  }
})
