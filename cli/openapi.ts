import { randomBytes } from 'node:crypto'
import { createServer } from '../app.ts'
import { runCommand } from './command.ts'

await runCommand({
  help: `npm run --silent openapi

Prints the OpenAPI document of the API as JSON. It needs no configuration and touches no database.`,

  options: {},

  run: async () => {
    const fastify = await createServer({
      CLIENT_SECRET: randomBytes(32).toString('hex'), DATABASE_URL: 'file::memory:', LOG_LEVEL: 'silent'
    })
    await fastify.ready()
    console.log(JSON.stringify(fastify.swagger(), null, 2))
    await fastify.close()
  }
})
