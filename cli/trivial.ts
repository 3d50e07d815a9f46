import { run } from './commands.ts'

const [name = '', ...args] = process.argv.slice(2)

process.exitCode = await run(name, {
  args,
  env: process.env,
  cwd: '.',
  // Opened only by what reads it.
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr
})
