#!/usr/bin/env node
import '../compile-cache.ts'

const { run } = await import('./program.ts')

process.exitCode = await run({
  args: process.argv.slice(2),
  env: process.env,
  cwd: '.',
  // Opened only by what reads it.
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr
})
