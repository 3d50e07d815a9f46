import { test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { digestOf, generationOf } from '../../domain/keys/token/token.ts'
import { required, newSecret, operator, settings } from '../helper.ts'
import { logLines, start } from '../http/service.ts'
import { command, terminal } from './terminal.ts'

test('key:secrets shows which secrets are still needed, and the service warns at startup if one of them is missing', async t => {
  const [current, previous, lost] = [newSecret(), newSecret(), newSecret()]
  const { env } = settings(t, { CLIENT_SECRET: current, CLIENT_SECRET_PREVIOUS: previous, CLIENT_KEYS: '' })
  const names = { [current]: 'new', [previous]: 'old', [lost]: 'lost' }
  const storage = await openStorage(env['DATABASE_URL'])
  t.teardown(storage.close)
  const registryUnder = (secret: string): KeyService => createKeyService({ store: storage.keys, secret })
  const ids: Record<string, string> = {}
  for (const [secret, name] of Object.entries(names)) {
    ids[name] = (await registryUnder(secret).issue({ name }, operator)).key.id
  }
  await registryUnder(previous).rotate(required(ids['old'], 'the old key'), { graceSeconds: 60 }, operator)

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

  await registryUnder(current).revoke(required(ids['lost'], 'the lost key'), null, operator)
  const after = await start(t, { ...env, LOG_LEVEL: 'info' })
  t.same(warnings(after.output().stdout), [], 'no active token needs the secret any longer')
  for (const secret of [current, previous, lost]) t.notMatch(secrets.stdout + table + service.output().stdout, secret)
})

test('key:secrets shows which secrets environment keys need, and when they were last used', async t => {
  const [previous, lost] = [newSecret(), newSecret()]
  const keyIds = ['0', '1', '2', '3'].map(digit => digit.repeat(32))
  // The digest isn't shown, because it could be guessed if the key_id is a word.
  const { cli, env, secret } = terminal(t, {
    CLIENT_SECRET_PREVIOUS: previous,
    CLIENT_KEYS: [...keyIds, 'legacy'].join(),
    CLIENT_KEY_JWT: 'true'
  })
  const storage = await openStorage(env['DATABASE_URL'])
  t.teardown(storage.close)
  const keys = createKeyService({ store: storage.keys, secret, allowList: [...keyIds, 'legacy'] })
  const idOf = new Map<string, string>()
  for (const { id } of (await keys.list({}, { limit: 9 })).keys) {
    idOf.set(keys.allowListEntry(id)?.slice('sha256:'.length) ?? 'legacy', id)
  }
  const [unused, both, old, revoked] = keyIds.map(keyId => required(idOf.get(digestOf(keyId)), 'an id'))
  const word = required(idOf.get('legacy'), 'the id of the word')
  const used = (id: string | undefined, by: string, day: number) => ({
    id: String(id),
    generation: generationOf(by),
    count: 1,
    lastUsedAt: new Date(Date.UTC(2026, 0, day)),
    lastUsedIp: '::1',
    lastUsedAgent: null
  })
  await storage.keys.write(async tx => {
    await tx.keys.addEnvironmentUsage([
      used(both, previous, 1),
      used(both, secret, 3),
      used(old, previous, 2),
      used(revoked, previous, 9),
      used(word, lost, 4),
      used('env_0123456789abcdef', previous, 9)
    ])
  })
  await keys.revoke(String(revoked), null, operator)

  const [json, table] = [await cli('key:secrets', ['--json']), await cli('key:secrets')]
  const rows = (JSON.parse(json.stdout) as { source: string }[]).filter(({ source }) => source === 'environment')
  const entryOf = (digit: string) => `sha256:${digestOf(digit.repeat(32))}`
  const day = (number: number) => `2026-01-0${number}T00:00:00.000Z`
  const environment = { source: 'environment', live_tokens: null }
  t.strictSame(
    new Set(rows),
    new Set([
      {
        generation: generationOf(secret),
        secret: 'CLIENT_SECRET',
        ...environment,
        last_used_at: day(3),
        keys: [{ id: both, digest: entryOf('1'), last_used_at: day(3) }]
      },
      {
        generation: generationOf(previous),
        secret: 'CLIENT_SECRET_PREVIOUS',
        ...environment,
        last_used_at: day(2),
        keys: [
          { id: old, digest: entryOf('2'), last_used_at: day(2) },
          { id: both, digest: entryOf('1'), last_used_at: day(1) }
        ]
      },
      {
        generation: generationOf(lost),
        secret: null,
        ...environment,
        last_used_at: day(4),
        keys: [{ id: word, digest: null, last_used_at: day(4) }]
      },
      {
        generation: null,
        secret: null,
        ...environment,
        last_used_at: null,
        keys: [{ id: unused, digest: entryOf('0'), last_used_at: null }]
      }
    ])
  )
  t.match(table.stdout, '\n\nEnvironment keys: 4. Their tokens are not stored. They were used as follows:\n\nKEY ')
  const lines = table.stdout.split('\n').filter(line => line.startsWith('env_'))
  const line = (...cells: unknown[]) => new RegExp(`^${cells.join(' +')}$`)
  for (const expected of [
    line(unused, '-', '-', 'never'),
    line(both, generationOf(secret), 'CLIENT_SECRET', '2026-01-03T00:00:00Z'),
    line(both, generationOf(previous), 'CLIENT_SECRET_PREVIOUS', '2026-01-01T00:00:00Z'),
    line(old, generationOf(previous), 'CLIENT_SECRET_PREVIOUS', '2026-01-02T00:00:00Z'),
    line(word, generationOf(lost), 'not configured', '2026-01-04T00:00:00Z')
  ]) {
    t.equal(lines.filter(each => expected.test(each)).length, 1, String(expected))
  }
  t.equal(lines.length, 5)

  const service = await start(t, { ...env, LOG_LEVEL: 'info' })
  t.match(
    logLines(service.output().stdout).filter(line => 'keys' in line),
    [
      {
        level: 40,
        keys: [word],
        msg: /^environment keys were last used with tokens that are now refused/
      }
    ]
  )

  t.match((await cli('key:revoke', [String(old)])).stdout, `well: the key_id, or ${entryOf('2')}.\n`)
  const guessable = await cli('key:revoke', [word])
  t.match(guessable.stdout, 'Remove its entry from CLIENT_KEYS as well: the key_id.\n')
})
