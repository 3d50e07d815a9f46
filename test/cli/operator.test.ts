import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { test } from 'tap'
import { operatorContext } from '../../cli/operator.ts'

test('the operator is the operating system user, with or without a name', async t => {
  const { uid, username } = os.userInfo()
  t.same(operatorContext().actor, { kind: 'cli', id: String(uid), name: username })
  // Simulates a container that runs with a user id that has no name.
  const real = os.userInfo
  os.userInfo = () => {
    throw new Error('uv_os_get_passwd returned ENOENT')
  }
  syncBuiltinESMExports()
  t.same(operatorContext().actor, {
    kind: 'cli',
    id: String(process.getuid?.()),
    name: `uid ${String(process.getuid?.())}`
  })
  os.userInfo = real
  syncBuiltinESMExports()
})
