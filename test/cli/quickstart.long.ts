import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { required, newSecret, temporaryFolder } from '../helper.ts'
import { emptyWorkplace } from '../docs/workplace.ts'
import { generationOf } from '../../domain/keys/token/token.ts'
import { command } from './terminal.ts'
import { database, execute, quickstart, statusesOf } from './quickstart.ts'

test('the key expires after 7 days, and the next run extends it by 7 days, whether or not it has expired', async t => {
  const cwd = temporaryFolder(t)
  const daysLeft = async (): Promise<number> => {
    const shown = await command(t, 'key:show', { cwd, env: database(cwd), args: ['quickstart', '--json'] })
    const { expires_at: at } = JSON.parse(shown.stdout) as { expires_at: string }
    return (Date.parse(at) - Date.now()) / 86_400_000
  }
  const runs = [await quickstart(t, cwd)]
  t.ok((await daysLeft()) > 6.9 && (await daysLeft()) <= 7)
  for (const [created, expires] of [
    [-6, 1],
    [-8, -1]
  ] as const) {
    const now = Date.now()
    const at = (days: number): string => new Date(now + days * 86_400_000).toISOString()
    execute(cwd, `update client_keys set created_at = '${at(created)}', expires_at = '${at(expires)}'`)
    runs.push(await quickstart(t, cwd))
    t.match(runs.at(-1), { code: 0, stdout: /24 apps/ })
    t.ok((await daysLeft()) > 6.9)
  }
  t.same(await statusesOf(t, cwd, runs), [401, 401, 200])
})

test("the commands that quickstart prints work as printed, regardless of the shell's variables", async t => {
  const { run: type } = emptyWorkplace(t)
  const lineOf = (text: string, command: string): string =>
    required(text.match(new RegExp(`DATABASE_URL=\\S+ npm run ${command}`))?.[0], command)
  await type('export DATABASE_URL=postgres://nobody@127.0.0.1:1/none NODE_NAME=mine LOG_LEVEL=error CLIENT_KEYS=mine')
  const refused = await type('npm run quickstart -- --once')
  t.equal(refused.code, 1)
  const { code, output } = await type(`${lineOf(refused.output, 'quickstart')} -- --once`)
  t.equal(code, 0)
  t.match(await type(lineOf(output, 'key:show -- quickstart')), { code: 0, output: /name +quickstart\n/ })
  t.match(await type(lineOf(output, 'key:revoke -- quickstart')), {
    code: 0,
    output: /quickstart and all its tokens were revoked/
  })
})

test('quickstart generates a new secret if .env was deleted, but rejects a different one from the environment', async t => {
  const cwd = temporaryFolder(t)
  const secret = newSecret()
  t.equal((await quickstart(t, cwd, { CLIENT_SECRET: secret })).code, 0)
  const { code, stderr } = await quickstart(t, cwd, { CLIENT_SECRET: newSecret() })
  t.equal(code, 1)
  t.match(
    stderr,
    new RegExp(
      `^CLIENT_SECRET \\(set in the environment\\): the database is in use with other secrets\\. .* ${generationOf(secret)}, `
    )
  )
  t.match(await quickstart(t, cwd), { code: 0, stdout: /24 apps/ })
  t.match(readFileSync(join(cwd, '.env'), 'utf8'), /\nCLIENT_SECRET=[0-9a-f]{64}\n$/)
})
