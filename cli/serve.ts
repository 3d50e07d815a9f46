import { createServer } from '../app.ts'
import { serve } from '../http/serve.ts'
import { command, DONE } from './command.ts'

export default command({
  description: `Starts the service, as npm start does. SIGTERM and SIGINT stop it.

The service reads its configuration from the environment and from .env in the working directory.`,

  run: async (_, terminal) => {
    await serve(await createServer(terminal.environment()))
    return DONE
  }
})
