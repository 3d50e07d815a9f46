#!/usr/bin/env node
import '../compile-cache.ts'
import { endOnSignals } from '../first-process.ts'

endOnSignals()

const { run } = await import('./program.ts')
const { outputOf } = await import('./output.ts')

process.exitCode = await run({
  args: process.argv.slice(2),
  env: process.env,
  cwd: '.',
  // Only opened if a command reads it.
  get stdin() {
    return process.stdin
  },
  stdout: outputOf(process.stdout),
  stderr: process.stderr
})
