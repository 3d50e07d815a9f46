import { test } from 'tap'
import { existsSync } from 'node:fs'
import { collect, compiled, spawnProgram } from '../helper.ts'
import { REST, typedCommands } from './every-command.ts'
import { wordsOf } from './terminal.ts'

const skip = existsSync('/dev/full') ? false : 'there is no /dev/full'

test('every command exits with 1 and prints one line if standard output is on a full disk', { skip }, async t => {
  const typed = await typedCommands(t)
  for (const [name, each] of Object.entries({ ...typed, ...REST })) {
    if (each === null) continue
    const { args = [], cwd = '/', env = {}, input } = each
    const command = [process.execPath, compiled('cli/trivial.ts'), ...wordsOf(name), ...args]
    const child = spawnProgram(['/bin/sh', '-c', 'exec "$0" "$@" > /dev/full', ...command], cwd, env)
    child.stdin.end(input)
    t.match(
      await collect(child).ended,
      { code: 1, stderr: /^The output could not be written.*: ENOSPC: no space left on device, write\. [A-Z].*\n$/ },
      name
    )
  }
})
