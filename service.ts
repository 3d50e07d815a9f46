import { createServer } from './app.ts'
import { environment } from './config/read.ts'
import { textOf, UserError } from './config/user-error.ts'
import { serve } from './http/serve.ts'

try {
  await serve(await createServer(environment()))
} catch (error) {
  console.error(error instanceof UserError ? textOf(error) : error)
  process.exit(1)
}
