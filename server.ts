import { createServer } from './app.ts'
import { complain } from './config/complaint.ts'
import { environment } from './config/read.ts'
import { closeOnSignals, listen } from './http/listen.ts'

try {
  const fastify = await createServer(environment())
  closeOnSignals(fastify)
  await listen(fastify)
} catch (error) {
  complain(error)
  process.exit()
}
