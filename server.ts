import { createServer } from './app.ts'
import { Complaint } from './config/complaint.ts'
import { environment } from './config/read.ts'
import { listen } from './http/listen.ts'
import { closeOnSignals, ignoreHangup } from './http/signals.ts'

try {
  const fastify = await createServer(environment())
  closeOnSignals(fastify)
  ignoreHangup(fastify)
  await listen(fastify)
} catch (error) {
  console.error(error instanceof Complaint ? error.message : error)
  process.exit(1)
}
