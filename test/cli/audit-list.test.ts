import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { postgresDatabase } from '../postgres.ts'
import { terminal } from './terminal.ts'

interface Entry {
  sequence: number
  at: string
  action: string
}

/** Checks what `audit:list` prints after three changes, on any engine. */
const checkList = async (t: Test, env: Record<string, string> = {}): Promise<void> => {
  const { cli, issue } = terminal(t, env)
  t.match(await cli('audit:list'), { code: 0, stdout: 'No entry matches.\n', stderr: '' })
  const { id } = await issue('billing')
  await cli('user:create', ['--email', 'ada@example.com', '--name', 'Ada'])
  await cli('key:disable', [id])
  const listed = async (...args: string[]): Promise<Entry[]> => {
    const { code, stdout, stderr } = await cli('audit:list', [...args, '--json'])
    t.same([code, stderr], [0, ''])
    return JSON.parse(stdout) as Entry[]
  }
  const actions = async (...args: string[]): Promise<string[]> => (await listed(...args)).map(({ action }) => action)
  const all = await listed()
  t.match(all, [
    { sequence: 3, action: 'client_key.change', subject: { type: 'client_key', id }, actor: { kind: 'cli' } },
    { sequence: 2, action: 'user.create', changes: { name: { to: 'Ada' } }, address: null, request_id: null },
    { sequence: 1, action: 'client_key.issue', hash: /^[0-9a-f]{64}$/ }
  ])
  t.same(await actions('--subject-type', 'user'), ['user.create'])
  t.same(await actions('--subject-id', id), ['client_key.change', 'client_key.issue'])
  t.same(await actions('--action', 'client_key.issue'), ['client_key.issue'])
  t.equal((await actions('--actor-kind', 'cli', '--actor-id', String(process.getuid?.()))).length, 3)
  t.same(await actions('--actor-kind', 'user'), [])
  t.same(
    await actions('--since', '1d', '--until', '2100-01-01'),
    all.map(({ action }) => action)
  )
  t.same(await actions('--until', '1d'), [])
  t.same(await actions('--limit', '1'), ['client_key.change'])
  t.same(await actions('--limit', '1', '--after', '3'), ['user.create'])

  const first = await cli('audit:list', ['--limit', '2'])
  t.match(
    first.stdout,
    /^NUMBER +AT +ACTOR +ACTION +SUBJECT +CHANGED +FROM\n3 +\S+Z +cli \d+ \S+ +client_key\.change +client_key /
  )
  t.match(first.stdout, /\n2 .* user\.create +user \d+ +name email role color_theme account_locked +-\n/)
  t.match(first.stdout, /\n\nThere are older entries\. To list them, add --after 2\n$/)
  const rest = await cli('audit:list', ['--after', '2'])
  t.match(rest.stdout, /\n1 .*\n$/)
  t.notMatch(rest.stdout, 'There are older entries')
}

test('audit:list lists the matching entries of the audit trail, newest first', async t => {
  await checkList(t)
})

test('audit:list works on PostgreSQL too', async t => {
  const url = await postgresDatabase(t)
  if (url !== null) {
    // Creates the tables, because read-only commands don't apply migrations.
    await (await openStorage(url)).close()
    await checkList(t, { DATABASE_URL: url })
  }
})
