import { test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { generationOf } from '../../domain/keys/token/token.ts'
import { need, newSecret, operator, settings } from '../helper.ts'
import { logLines, start } from '../http/service.ts'
import { command } from './terminal.ts'

test('key:secrets tells which secrets tokens depend on, and a start warns of one that is missing', async t => {
  const [current, previous, lost] = [newSecret(), newSecret(), newSecret()]
  const { env } = settings(t, { CLIENT_SECRET: current, CLIENT_SECRET_PREVIOUS: previous })
  const names = { [current]: 'new', [previous]: 'old', [lost]: 'lost' }
  const storage = await openStorage(env['DATABASE_URL'])
  t.teardown(storage.close)
  const registryUnder = (secret: string): KeyService => createKeyService({ store: storage.keys, secret })
  const ids: Record<string, string> = {}
  for (const [secret, name] of Object.entries(names)) {
    ids[name] = (await registryUnder(secret).issue({ name }, operator)).key.id
  }
  await registryUnder(previous).rotate(need(ids['old'], 'the old key'), { graceSeconds: 60 }, operator)

  const [secrets, { stdout: table }] = await Promise.all([
    command(t, 'key:secrets', { env, args: ['--json'] }),
    command(t, 'key:secrets', { env })
  ])
  t.equal(secrets.code, 0)
  t.strictSame(
    new Set(JSON.parse(secrets.stdout) as unknown[]),
    new Set([
      {
        generation: generationOf(current),
        secret: 'CLIENT_SECRET',
        source: 'managed',
        live_tokens: 1,
        last_used_at: null
      },
      {
        generation: generationOf(previous),
        secret: 'CLIENT_SECRET_PREVIOUS',
        source: 'managed',
        live_tokens: 2,
        last_used_at: null
      },
      { generation: generationOf(lost), secret: null, source: 'managed', live_tokens: 1, last_used_at: null }
    ])
  )
  t.match(table, new RegExp(`^${generationOf(previous)} +CLIENT_SECRET_PREVIOUS +managed +2 +never$`, 'm'))
  t.match(table, new RegExp(`^${generationOf(lost)} +not configured +managed +1 +never$`, 'm'))

  const warnings = (stdout: string): unknown[] => logLines(stdout).filter(line => 'generations' in line)
  const service = await start(t, { ...env, LOG_LEVEL: 'info' })
  t.match(warnings(service.output().stdout), [
    { level: 40, generations: [generationOf(lost)], msg: /secrets that are not configured/ }
  ])

  await registryUnder(current).revoke(need(ids['lost'], 'the lost key'), null, operator)
  const after = await start(t, { ...env, LOG_LEVEL: 'info' })
  t.same(warnings(after.output().stdout), [], 'no good token depends on it any more')
  for (const secret of [current, previous, lost]) t.notMatch(secrets.stdout + table + service.output().stdout, secret)
})
