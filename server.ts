import { createServer } from './app.ts'
import { environment } from './config/read.ts'
import { exitWith } from './http/exit.ts'
import { closeOnSignals, listen } from './http/listen.ts'

try {
  const fastify = await createServer(environment())
  closeOnSignals(fastify)
  await listen(fastify)
} catch (error) {
  exitWith(error)
}
