import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { root } from '../helper.ts'

// npm run build:test only removes the types, so that the tests begin sooner.
test('TypeScript finds no error', async t => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const typescript = promisify(execFile)(process.execPath, [tsc, '--noEmit', '--pretty', 'false'], { cwd: root })
  const { stdout } = await typescript.catch((error: unknown) => error as { stdout: string })
  t.equal(stdout, '')
})
