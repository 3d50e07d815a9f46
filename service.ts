import { createServer } from './app.ts'
import { ConfigError, environment } from './config/read.ts'
import type { Environment } from './config/read.ts'
import { withSources } from './config/sources.ts'
import { textOf, UserError } from './config/user-error.ts'
import { serve } from './http/serve.ts'

let variables: Environment = {}
try {
  variables = environment()
  await serve(await createServer(variables))
} catch (error) {
  const text = error instanceof UserError ? textOf(error) : error
  console.error(error instanceof ConfigError ? withSources(String(text), variables, process.env) : text)
  process.exit(1)
}
