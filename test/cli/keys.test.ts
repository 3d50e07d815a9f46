import { userInfo } from 'node:os'
import Database from 'better-sqlite3'
import { test } from 'tap'
import type { Test } from 'tap'
import { GENESIS, hashOf } from '../../audits/chain.ts'
import { openStores } from '../../db/open.ts'
import { createKeyRegistry } from '../../keys/registry.ts'
import type { KeyRegistry } from '../../keys/registry.ts'
import type { Author } from '../../keys/store.ts'
import { createTokenSealer, generationOf, issueClientKey } from '../../keys/token.ts'
import { newSecret, run, settings } from '../helper.ts'
import type { Settings } from '../helper.ts'

interface Ended { code: number | null, stdout: string, stderr: string }

interface Issued { id: string, name: string, key_id: string, key_access_token: string }

interface Terminal extends Settings {
  /** Runs a command on the database of the test. */
  cli (command: string, args?: string[], input?: string, env?: Record<string, string>): Promise<Ended>
  issue (name: string, ...args: string[]): Promise<Issued>
  /** Opens the database of the test. */
  database (): Database.Database
  /** What the commands work with, in this process: quicker where a command is not what is tested. */
  registry (): KeyRegistry
}

const author: Author = { origin: { actor: { kind: 'cli', id: '1', name: 'tester' }, address: null, requestId: null }, token: null }

const terminal = (t: Test, env: Record<string, string> = {}): Terminal => {
  const made = settings(t, env)
  const cli: Terminal['cli'] = async (command, args = [], input = '', more = {}) =>
    await run(t, `cli/${command}.ts`, { env: { ...made.env, ...more }, args, input }).ended
  return {
    ...made,
    cli,
    issue: async (name, ...args) => {
      const { stdout, stderr } = await cli('key-issue', ['--name', name, '--json', ...args])
      t.equal(stderr, '')
      return JSON.parse(stdout) as Issued
    },
    database: () => {
      const db = new Database(made.env['DATABASE_URL'].slice('file:'.length))
      t.teardown(() => { db.close() })
      return db
    },
    registry: () => {
      const stores = openStores(made.env['DATABASE_URL'])
      t.teardown(() => { stores.close() })
      return createKeyRegistry({ store: stores.clientKeys, sealer: createTokenSealer(made.secret), secrets: [made.secret], allowList: [made.key.keyId] })
    }
  }
}

const typo = (token: string): string => token.slice(0, -1) + (token.endsWith('0') ? '1' : '0')

test('key:issue --name stores a key with its policy and says that it is live', async t => {
  const { secret, key, cli, database } = terminal(t)
  const { code, stdout, stderr } = await cli('key-issue', [
    '--name', 'billing-sync', '--scope', 'audits:read', '--scope', 'apps:read', '--expires', '90d', '--allow-ip', '10.0.0.0/8',
    '--allow-ip', '2001:db8::/32', '--rate', '100/5m', '--description', 'Copies invoices', '--metadata', '{"team":"finance"}'
  ])
  t.same([code, stderr], [0, ''])
  t.match(stdout, /^A new client key, which is live now:$/m)
  t.match(stdout, /Neither of these can be shown again/)
  const [, token] = /key_access_token +(tck_\w{72})\n/.exec(stdout) ?? []
  t.match(createTokenSealer(secret).open(token), { ok: true, keyId: /key_id +([0-9a-f]{32})\n/.exec(stdout)?.[1] })
  t.match(stdout, `Authorization: Bearer ${token}\n`)
  t.notMatch(stdout, 'CLIENT_KEYS')

  const [json, table, list] = await Promise.all([
    cli('key-show', ['billing-sync', '--json']), cli('key-show', ['billing-sync']), cli('key-list', ['--json'])
  ])
  const shown = JSON.parse(json.stdout)
  t.match(shown, {
    id: /^[0-9a-f]{8}-[0-9a-f]{4}-7/,
    name: 'billing-sync',
    source: 'managed',
    description: 'Copies invoices',
    scopes: ['apps:read', 'audits:read'],
    enabled: true,
    allowed_ips: ['10.0.0.0/8', '2001:db8::/32'],
    rate_limit: { max: 100, window_seconds: 300 },
    metadata: { team: 'finance' },
    created_by: { kind: 'cli', id: String(userInfo().uid), name: userInfo().username },
    revoked_at: null,
    last_used_at: null,
    tokens: [{ hint: token.slice(-4), generation: generationOf(secret), expires_at: null, revoked_at: null, use_count: 0 }]
  })
  t.ok(Math.abs(Date.parse(shown.expires_at) - Date.parse(shown.created_at) - 90 * 86_400_000) < 10_000)
  for (const row of [
    /^state +live$/m, /^scopes +apps:read audits:read$/m, /^allowed_ips +10\.0\.0\.0\/8 2001:db8::\/32$/m, /^rate_limit +100\/300s$/m,
    new RegExp(`^created +20\\S+Z by cli ${userInfo().username}$`, 'm')
  ]) t.match(table.stdout, row)
  t.match(JSON.parse(list.stdout), [{ id: shown.id, source: 'managed' }, { name: /^env_/, source: 'environment' }])
  t.notOk([token, key.keyId, secret].some(secret => (json.stdout + table.stdout + list.stdout).includes(secret)))

  const db = database()
  t.match(db.prepare('select action, actor_kind, actor_id, actor_name, subject_id, address, request_id from audits').all(), [{
    action: 'client_key.issue', actor_kind: 'cli', actor_id: String(userInfo().uid), actor_name: userInfo().username, subject_id: shown.id, address: null, request_id: null
  }])
})

test('without --name, key:issue stores nothing and takes no policy', async t => {
  const { cli } = terminal(t, { CLIENT_KEYS: '' })
  const [issued, refused] = await Promise.all([cli('key-issue'), cli('key-issue', ['--scope', 'apps:read'])])
  t.match(issued, { code: 0, stdout: /CLIENT_KEYS=[0-9a-f]{32}\n.*a restart makes an environment key live/s })
  t.match(refused, { code: 2, stdout: '', stderr: /^Only a key with a --name can be held to a policy\.$/m })
  const [table, json] = await Promise.all([cli('key-list'), cli('key-list', ['--json'])])
  t.match(table, { code: 0, stdout: 'There are no client keys. Make one: npm run key:issue -- --name <name>\n' })
  t.match(json, { code: 0, stdout: '[]\n' })
})

test('each change tells of itself, in JSON with --json, and is audited as cli with the user of the operating system', async t => {
  const { cli, issue, database } = terminal(t, { CLIENT_KEYS: '' })
  const { id } = await issue('a')
  const json = async (command: string, ...args: string[]): Promise<ReturnType<typeof JSON.parse>> => JSON.parse((await cli(command, [...args, '--json'])).stdout)
  t.match(await json('key-change', 'a', '--name', 'b', '--scope', 'apps:read'), { id, name: 'b', scopes: ['apps:read'] })
  t.match((await cli('key-change', ['b', '--allow-ip', '::1', '--rate', '1/1d'])).stdout, /^The client key is changed.*name +b\n.*allowed_ips +::1\nrate_limit +1\/86400s\n$/s)
  t.match(await json('key-disable', 'b'), { id, enabled: false })
  t.match((await cli('key-list')).stdout, new RegExp(`^ID +NAME +STATE +SCOPES +EXPIRES +LAST USED\n${id} +b +disabled +apps:read +never +never\n$`))
  t.match(await json('key-enable', id), { id, enabled: true })
  const rotated = await json('key-rotate', 'b')
  t.match(rotated, { id, key_id: /^[0-9a-f]{32}$/, key_access_token: /^tck_\w{72}$/, older_tokens: [{ hint: String, expires_at: /^20/, last_used_at: null }] })
  const text = (await cli('key-rotate', ['b', '--grace', '0s'])).stdout
  t.match(text, /key_id +[0-9a-f]{32}\n {2}key_access_token +tck_\w{72}\n/)
  t.match(text, new RegExp(`^…${rotated.key_access_token.slice(-4)} +[0-9a-f]{8} +20\\S+Z +20\\S+Z +never`, 'm'))
  t.match(await json('key-revoke', 'b', '--reason', 'The laptop was stolen'), { id, revoked_at: /^20/, revoked_reason: 'The laptop was stolen' })
  t.match(await json('audit-verify'), { whole: true, head: { sequence: 8, hash: /^[0-9a-f]{64}$/ } })

  const { uid, username } = userInfo()
  const entries = database().prepare('select * from audits order by sequence').all() as Record<string, string>[]
  for (const entry of entries) {
    t.match(entry, { actor_kind: 'cli', actor_id: String(uid), actor_name: username, address: null, request_id: null, subject_type: 'client_key', subject_id: id })
  }
  t.same(entries.map(({ action }) => action), ['issue', 'change', 'change', 'change', 'change', 'rotate', 'rotate', 'revoke'].map(verb => `client_key.${verb}`))
  t.match(JSON.parse(entries[1]['changes']), { name: { from: 'a', to: 'b' }, scopes: { from: ['*'], to: ['apps:read'] } })
  t.same(entries.slice(3, 5).map(({ changes }) => JSON.parse(changes)), [{ enabled: { from: true, to: false } }, { enabled: { from: false, to: true } }])
  t.match(entries[7]['changes'], 'The laptop was stolen')
})

test('revoked again, a key keeps its first reason; revoked, it is changed no more and only its id finds it', async t => {
  const { cli, registry } = terminal(t)
  const keys = registry()
  const { key: { id }, keyAccessToken } = await keys.issue({ name: 'a' }, author)
  await keys.revoke(id, 'first', author)
  const [again, rotated, enabled, named, shown] = await Promise.all([
    cli('key-revoke', ['-', '--reason', 'second', '--json'], keyAccessToken), cli('key-rotate', [id]), cli('key-enable', [id]), cli('key-show', ['a']), cli('key-show', [id])
  ])
  t.match(JSON.parse(again.stdout), { id, revoked_reason: 'first' })
  for (const ended of [rotated, enabled]) t.match(ended, { code: 1, stdout: '', stderr: /^A revoked client key stays revoked/ })
  t.match(named, { code: 1, stdout: '', stderr: /^There is no client key/ })
  t.match(shown, { code: 0, stdout: /^state +revoked\n.*^revoked +20\S+Z first$/ms })
})

test('key:inspect tells of any token whether it is well-formed, of which secret, allowed by what, or why not', async t => {
  const [previous, unknown] = [newSecret(), newSecret()]
  const { secret, key, cli, registry } = terminal(t, { CLIENT_SECRET_PREVIOUS: previous })
  const sealer = createTokenSealer(secret)
  const underPrevious = createTokenSealer(previous).seal(key.keyId)
  const foreign = issueClientKey(createTokenSealer(unknown))
  const nobodys = issueClientKey(sealer)
  const keys = registry()
  const issue = (name: string, retryable?: Parameters<typeof keys.issue>[2]) => keys.issue({ name }, author, retryable)
  const live = await issue('live')
  const disabled = await issue('disabled')
  await keys.change(disabled.key.id, { enabled: false }, author)
  const expired = await issue('expired')
  await keys.change(expired.key.id, { expiresAt: new Date(0) }, author)
  const revoked = await issue('revoked')
  await keys.revoke(revoked.key.id, null, author)
  const rotated = await issue('rotated')
  await keys.rotate(rotated.key.id, 0, author)
  const retryable = { caller: 'a', idempotencyKey: 'b', request: 'c' }
  const replaced = await issue('replaced', retryable)
  await issue('replaced', retryable)

  const current = { well_formed: true, generation: generationOf(secret), secret: 'current' }
  const shapeless = { well_formed: false, generation: null, secret: null, allowed: false, key: null }
  const ofCurrent = `^well-formed +yes\ngeneration +${generationOf(secret)}, of the current secret\n`
  const cases: [token: string, found: object, table?: RegExp][] = [
    [live.keyAccessToken, { ...current, allowed: true, reason: null, key: { id: live.key.id } }, new RegExp(`${ofCurrent}allowed +yes\nkey +${live.key.id} live\nby +the database\n$`)],
    [`\n ${key.keyAccessToken}\r\n`, { ...current, allowed: true, reason: null, key: { source: 'environment' } }, /\nallowed +yes\n.*\nby +CLIENT_KEYS\n$/],
    [underPrevious, { well_formed: true, generation: generationOf(previous), secret: 'previous', allowed: true }],
    [typo(live.keyAccessToken), { ...shapeless, reason: 'bad_checksum' }, /^well-formed +no\ngeneration +-\nallowed +no: it has a typo/],
    [live.keyAccessToken.slice(0, -1), { ...shapeless, reason: 'malformed' }],
    [key.keyId, { ...shapeless, reason: 'malformed' }],
    [foreign.keyAccessToken, { well_formed: true, generation: generationOf(unknown), secret: null, allowed: false, reason: 'unknown_generation', key: null }, /of a secret that is not configured\nallowed +no: it was sealed with a secret that is not configured here\n/],
    [nobodys.keyAccessToken, { ...current, allowed: false, reason: 'not_allowed', key: null }],
    [revoked.keyAccessToken, { ...current, allowed: false, reason: 'key_revoked', key: { name: 'revoked' } }],
    [disabled.keyAccessToken, { ...current, allowed: false, reason: 'key_disabled', key: { name: 'disabled' } }],
    [expired.keyAccessToken, { ...current, allowed: false, reason: 'key_expired', key: { name: 'expired' } }],
    [rotated.keyAccessToken, { ...current, allowed: false, reason: 'token_expired', key: { name: 'rotated' } }, /\nallowed +no: the token was rotated out, and its grace is over\n/],
    [replaced.keyAccessToken, { ...current, allowed: false, reason: 'token_revoked', key: { name: 'replaced' } }]
  ]
  const secrets = [secret, previous, ...[key, foreign, nobodys, live, disabled, expired, revoked, rotated, replaced].map(({ keyId }) => keyId)]
  const inspect = async ([token, found, table]: typeof cases[number]): Promise<void> => {
    const [json, text] = await Promise.all([cli('key-inspect', ['--json'], token), table === undefined ? null : cli('key-inspect', [], token)])
    const { allowed, reason } = JSON.parse(json.stdout)
    t.match(JSON.parse(json.stdout), found, String(reason))
    t.match(text?.stdout ?? '', table ?? '')
    for (const ended of text === null ? [json] : [json, text]) {
      t.same([ended.code, ended.stderr], [allowed ? 0 : 1, ''])
      t.notOk([token.trim(), ...secrets].some(secret => ended.stdout.includes(secret)), 'nothing secret is printed')
    }
  }
  for (let i = 0; i < cases.length; i += 2) await Promise.all(cases.slice(i, i + 2).map(inspect))
  const [environmentKey] = (await keys.list({ namePrefix: 'env_' }, 1)).keys
  await keys.revoke(environmentKey.id, null, author)
  await inspect([key.keyAccessToken, { ...current, allowed: false, reason: 'key_revoked', key: { id: environmentKey.id, source: 'environment' } }, /its key is revoked\n.*\nby +CLIENT_KEYS\n$/])
})

test('a token in the arguments is bad usage, and is not repeated', async t => {
  const { key: { keyAccessToken: token }, cli } = terminal(t)
  // Signed with nothing: only its shape matters here.
  const jwt = ['{"alg":"HS256"}', '{"key_id":"1"}', 'x'].map(part => Buffer.from(part).toString('base64url')).join('.')
  const runs = await Promise.all([
    cli('key-show', [token]), cli('key-inspect', [token]), cli('key-issue', ['--name', token]), cli('key-issue', [`--name=x ${token}`]), cli('key-revoke', ['a', '--reason', `it was ${token}`]), cli('key-rotate', [jwt])
  ])
  for (const { code, stdout, stderr } of runs) {
    t.same([code, stdout], [2, ''])
    t.match(stderr, /^A token never goes into the arguments/)
    t.notOk([token, token.slice(4, 20), jwt].some(text => stderr.includes(text)))
  }
})

test('what can not be understood is bad usage: exit code 2 and the help', async t => {
  const { cli } = terminal(t)
  const runs: [fault: string, command: string, ...args: string[]][] = [
    ['Name one key', 'key-show'],
    ['Name one key', 'key-revoke', 'a', 'b'],
    ['There are no arguments', 'key-list', 'a'],
    ['Say what to change', 'key-change', 'a'],
    ['--rate must be', 'key-issue', '--name', 'a', '--rate', '100'],
    ['--rate must be', 'key-change', 'a', '--rate', '100/60'],
    ['--expires must be', 'key-issue', '--name', 'a', '--expires', 'soon'],
    ['--expires must be', 'key-change', 'a', '--expires', '999999999w'],
    ['--metadata must be', 'key-change', 'a', '--metadata', '{'],
    ['--grace must be', 'key-rotate', 'a', '--grace', '1'],
    ['--grace must be', 'key-rotate', 'a', '--grace', '31d'],
    ['--expires must be', 'key-issue', '--name', 'a', '--expires', 'ToTal'],
    ['--allow-ip any', 'key-change', 'a', '--allow-ip', 'any', '--allow-ip', '::1'],
    ['--noted must be', 'audit-verify', '--noted', `1:${'g'.repeat(64)}`],
    ['not understood', 'key-issue', '--name'],
    ['--noted must be', 'audit-verify', '--noted', '5']
  ]
  const ended = await Promise.all(runs.map(([, command, ...args]) => cli(command, args)))
  for (const [i, [fault, command, ...args]] of runs.entries()) {
    const { code, stdout, stderr } = ended[i]
    t.same([code, stdout], [2, ''], `${command} ${args.join(' ')}`)
    t.match(stderr.split('\n', 1)[0], fault)
    t.match(stderr, `npm run ${command.replace('-', ':')}`)
  }
})

test('what the rules refuse, and what is not there, is exit code 1 with one sentence for each fault', async t => {
  const { cli, registry } = terminal(t, { CLIENT_KEYS: '' })
  await registry().issue({ name: 'a' }, author)
  const runs: [faults: string[], command: string, ...args: string[]][] = [
    [
      ['--name must be visible', '--scope number 1 must be * or apps:read', '--rate must be 1 at least', '--rate must be 86400 at most', '--metadata must be object'],
      'key-issue', '--name', ' ', '--scope', 'apps:delete', '--rate', '0/2d', '--metadata', '[1]'
    ],
    [['--allow-ip number 1 is no IP address or CIDR range', '--allow-ip number 3 is no'], 'key-change', 'a', '--allow-ip', '10.0.0.0/33', '--allow-ip', '::1', '--allow-ip', '300.0.0.1'],
    [['--expires must be in the future'], 'key-issue', '--name', 'b', '--expires', '2020-01-01T00:00:00Z'],
    [['--expires is no day'], 'key-issue', '--name', 'b', '--expires', '2027-02-31T00:00:00Z'],
    [['--name must not look like'], 'key-issue', '--name=-'],
    [['Another client key that is not revoked has this name'], 'key-issue', '--name', 'a'],
    [['There is no token on standard input'], 'key-inspect'],
    [['There is no token on standard input'], 'key-revoke', '-'],
    ...['key-show', 'key-disable', 'key-advise'].map((command): [string[], string, string] => [['There is no client key'], command, 'nobody'])
  ]
  const ended = await Promise.all(runs.map(([, command, ...args]) => cli(command, args)))
  for (const [i, [faults, command, ...args]] of runs.entries()) {
    const { code, stdout, stderr } = ended[i]
    t.same([code, stdout], [1, ''], `${command} ${args.join(' ')}`)
    const lines = stderr.trim().split('\n')
    t.equal(lines.length, faults.length, 'no stack and no help')
    for (const fault of faults) t.ok(lines.some(line => line.startsWith(fault)), fault)
  }
  t.match(await cli('key-revoke', ['-'], 'tck_x'), { code: 1, stdout: '', stderr: /^The token stands for no client key here; npm run key:inspect tells why\.\n$/ })
  t.match(JSON.parse((await cli('key-list', ['--json'])).stdout), [{ name: 'a', allowed_ips: [], revoked_at: null }], 'nothing was made or changed')
})

interface AuditRow {
  sequence: number,
  at: string,
  actor_kind: string,
  actor_id: string,
  actor_name: string,
  action: string,
  subject_type: string,
  subject_id: string
  changes: string,
  address: string | null,
  request_id: string | null,
  previous_hash: string,
  hash: string
}

const rehashed = (row: AuditRow): string => hashOf({
  sequence: row.sequence,
  at: row.at,
  actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
  action: row.action,
  subject: { type: row.subject_type, id: row.subject_id },
  changes: row.changes,
  address: row.address,
  requestId: row.request_id,
  previousHash: row.previous_hash
})

/** A trail of five entries. */
const trail = async (t: Test) => {
  const made = terminal(t)
  const keys = made.registry()
  const { key: { id } } = await keys.issue({ name: 'a' }, author)
  for (const enabled of [false, true, false, true]) await keys.change(id, { enabled }, author)
  const verify = async (...args: string[]): Promise<Ended> => await made.cli('audit-verify', args)
  const db = made.database()
  const read = db.prepare<[number], AuditRow>('select * from audits where sequence = ?')
  const rowOf = (sequence: number): AuditRow => {
    const row = read.get(sequence)
    if (row === undefined) throw new Error(`there is no entry ${sequence}`)
    return row
  }
  return { db, verify, rowOf }
}

const ROW = 'insert into audits values (@sequence, @at, @actor_kind, @actor_id, @actor_name, @action, @subject_type, @subject_id, @changes, @address, @request_id, @previous_hash, @hash)'

test('audit:verify tells that a trail is whole, and of one that is not, which entry is the first', async t => {
  const { db, verify, rowOf } = await trail(t)
  const head = `5:${rowOf(5).hash}`
  t.match(await verify(), { code: 0, stdout: `The audit trail is whole, up to entry ${head}\n`, stderr: '' })
  t.equal((await verify('--noted', head)).code, 0)
  t.equal(rowOf(1).previous_hash, GENESIS)

  const rows = [1, 2, 3, 4, 5].map(rowOf)
  for (const forbidden of ["update audits set action = 'x'", 'delete from audits where sequence = 5', 'insert or replace into audits select * from audits where sequence = 3']) {
    t.throws(() => db.exec(forbidden), /append-only/, forbidden)
  }
  t.strictSame([1, 2, 3, 4, 5].map(rowOf), rows)

  for (const trigger of ['audits_never_updated', 'audits_never_deleted', 'audits_only_appended']) db.exec(`drop trigger ${trigger}`)
  const restore = db.transaction(() => {
    db.exec('delete from audits')
    for (const row of rows) db.prepare(ROW).run(row)
    db.exec("update sqlite_sequence set seq = 5 where name = 'audits'")
  })
  const alter = (row: AuditRow): AuditRow => ({ ...row, changes: '{"enabled":{"from":true,"to":true}}' })
  const put = (row: AuditRow): void => { db.prepare(ROW.replace('insert', 'insert or replace')).run(row) }
  const withHash = (row: AuditRow): AuditRow => ({ ...row, hash: rehashed(row) })
  t.strictSame(rows.map(withHash), rows)

  const forgeries: [what: string, forge: () => void, found: RegExp][] = [
    ['altered', () => { put(alter(rows[2])) }, /entry 3 was altered/],
    ['altered by who did it', () => { put({ ...rows[1], actor_name: 'nobody' }) }, /entry 2 was altered/],
    ['altered, and its hash made anew', () => { put(withHash(alter(rows[2]))) }, /entry 3 was altered or replaced/],
    ['removed from the middle', () => { db.exec('delete from audits where sequence = 3') }, /entry 3 was removed/],
    ['removed from the end', () => { db.exec('delete from audits where sequence = 5') }, /entry 5 was removed/],
    ['all removed', () => { db.exec('delete from audits') }, /entry 1 was removed/],
    ['inserted before', () => { put(withHash({ ...rows[0], sequence: 0 })) }, /entry 0 was inserted/]
  ]
  for (const [what, forge, found] of forgeries) {
    forge()
    t.match(await verify(), { code: 1, stdout: '', stderr: found }, what)
    restore()
  }
  put(alter(rows[2]))
  const { code, stdout } = await verify('--json')
  t.same([code, JSON.parse(stdout)], [1, { whole: false, sequence: 3, fault: 'was altered' }])
})

test('a trail made anew, or cut off with its counter, is seen by a head that was noted', async t => {
  const { db, verify, rowOf } = await trail(t)
  const noted = /\d+:[0-9a-f]{64}/.exec((await verify()).stdout)?.[0] ?? ''
  t.match(noted, /^5:/)
  for (const trigger of ['audits_never_updated', 'audits_never_deleted', 'audits_only_appended']) db.exec(`drop trigger ${trigger}`)

  const forged: AuditRow[] = []
  for (const row of [1, 2, 3, 4, 5].map(rowOf)) {
    const entry = { ...row, actor_name: 'somebody', previous_hash: forged.at(-1)?.hash ?? GENESIS }
    forged.push({ ...entry, hash: rehashed(entry) })
  }
  db.exec('delete from audits')
  for (const row of forged) db.prepare(ROW).run(row)
  t.match(await verify(), { code: 0, stderr: '' }, 'by itself it looks whole')
  t.match(await verify('--noted', noted), { code: 1, stdout: '', stderr: /entry 5 is not the one whose hash was noted/ })

  db.exec("delete from audits where sequence = 5; update sqlite_sequence set seq = 4 where name = 'audits'")
  t.equal((await verify()).code, 0, 'by itself it looks whole')
  t.match(await verify('--noted', noted), { code: 1, stdout: '', stderr: /entry 5 was removed/ })
})

test('lists and advice are readable, whatever there is to tell', async t => {
  const { cli, registry, key, database } = terminal(t)
  t.match((await cli('key-list', [], '', { CLIENT_KEYS: '' })).stdout, 'There are no client keys')
  const keys = registry()
  const { key: managed } = await keys.issue({ name: 'gone', metadata: '{"a":1}' }, author)
  const { key: silent } = await keys.issue({ name: 'silent' }, author)
  await keys.revoke(managed.id, 'a leak', author)
  await keys.revoke(silent.id, null, author)
  t.match((await cli('key-show', [managed.id])).stdout, /revoked +\d{4}.* a leak\n/)
  t.match((await cli('key-show', [silent.id])).stdout, /revoked +\d{4}-\S+Z\n/)
  t.match((await cli('key-list', ['--all'])).stdout, /gone +revoked/)

  const [{ id: environmentId }] = (await keys.list({}, 10)).keys.filter(({ source }) => source === 'environment')
  t.match((await cli('key-show', [environmentId])).stdout, /created +-\n/)
  const count = database().prepare('insert into client_key_usage values (?, ?, ?, ?, ?)')
  const day = new Date().toISOString().slice(0, 10)
  for (const id of [managed.id, environmentId]) {
    count.run(id, day, 'scope', 'apps:read', 3)
    count.run(id, day, 'address', '10.0.0.1', 3)
  }
  database().prepare("insert into environment_key_uses values (?, '00000000', ?, '10.0.0.1', null, 3)").run(environmentId, `${day}T00:00:00.000Z`)
  t.match((await cli('key-show', [environmentId])).stdout, /\n- +00000000 +- +- +\S+Z +10\.0\.0\.1 +- +3\n/)
  database().prepare('update client_key_tokens set revoked_at = created_at').run()
  t.match((await cli('key-show', [managed.id])).stdout, /\n….{4} +\w{8} +\S+Z +revoked +never/)
  for (let i = 0; i < 101; i++) await keys.issue({ name: `one of many ${i}` }, author)
  t.match((await cli('key-list')).stdout, 'one of many 100')

  const ofManaged = await cli('key-advise', [managed.id])
  t.match(ofManaged.stdout, /3 requests of gone were let in/)
  t.match(ofManaged.stdout, `PATCH /client_keys/${managed.id}`)
  count.run(environmentId, day, 'address', '*', 5)
  const ofEnvironment = await cli('key-advise', [environmentId, '--days', '1'])
  t.match(ofEnvironment.stdout, 'too many addresses')
  t.match(ofEnvironment.stdout, 'issue a managed key')
  t.notMatch(ofEnvironment.stdout, 'allowed_ips')
  t.match(await cli('key-advise', [environmentId, '--days', '91']), { code: 2, stderr: /--days must be/ })
  t.notMatch(ofEnvironment.stdout, key.keyId)
})

test("Trivial's own tokens are inspected where they are accepted", async t => {
  const { cli, secret, key } = terminal(t, { CLIENT_KEY_JWT: 'true' })
  const { createSigner } = await import('fast-jwt')
  const sign = createSigner({ key: secret, noTimestamp: true, header: { alg: 'HS256', typ: undefined } })
  const good = sign({ key_id: key.keyId })
  t.match(await cli('key-inspect', ['--json'], good), { code: 0, stdout: /"well_formed": true,[^]*"secret": "current",[^]*"allowed": true/ })
  t.match(await cli('key-inspect', [], sign({ key_id: 'unknown' })), { code: 1, stdout: /neither in CLIENT_KEYS nor in the database/ })
  t.match(await cli('key-inspect', [], `${good.slice(0, -2)}xx`), { code: 1, stdout: /not sealed with the secret/ })
  t.match(await cli('key-inspect', [], good, { CLIENT_KEY_JWT: 'false' }), { code: 1, stdout: /no key_access_token/ })
  t.equal((await cli('key-revoke', ['-'], good)).code, 0)
  t.match(await cli('key-inspect', [], good), { code: 1, stdout: /its key is revoked/ })
})

test('a locked database, a database that is not there and far too much input are told in a sentence', async t => {
  const { cli, registry, database } = terminal(t)
  await registry().issue({ name: 'k' }, author)
  const holder = database()
  holder.exec('begin immediate')
  t.match(await cli('key-disable', ['k']), { code: 1, stdout: '', stderr: /^The database can not be used now: another process has it[^\n]*\n$/ })
  holder.exec('rollback')
  t.match(await cli('audit-verify', [], '', { DATABASE_URL: 'file:nowhere/none.db' }), { code: 1, stderr: /^There is no database file:nowhere/ })
  t.match(await cli('key-inspect', [], 'x'.repeat(200_000)), { code: 1, stderr: 'There is too much on standard input.\n' })
})

test('a trail without an entry says so', async t => {
  const { cli, env } = terminal(t)
  openStores(env['DATABASE_URL']).close()
  t.match(await cli('audit-verify'), { code: 0, stdout: /has no entry/ })
})
