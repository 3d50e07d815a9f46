import { test } from 'tap'
import { createTokenSealer, generationOf, issueClientKey } from '../../domain/keys/token/token.ts'
import { at, legacySigner, newSecret, operator } from '../helper.ts'
import { terminal } from './terminal.ts'

const typo = (token: string): string => token.slice(0, -1) + (token.endsWith('0') ? '1' : '0')

test('key:inspect reports whether a token is well-formed, which secret sealed it, and why it is accepted or refused', async t => {
  const [previous, unknown] = [newSecret(), newSecret()]
  const { secret, key, cli, registry } = terminal(t, { CLIENT_SECRET_PREVIOUS: previous })
  const sealer = createTokenSealer(secret)
  const underPrevious = createTokenSealer(previous).seal(key.keyId)
  const foreign = issueClientKey(createTokenSealer(unknown))
  const unlisted = issueClientKey(sealer)
  const keys = await registry()
  const issue = (name: string, retryable?: Parameters<typeof keys.issue>[2]) =>
    keys.issue({ name }, operator, retryable)
  const active = await issue('live')
  const disabled = await issue('disabled')
  await keys.change(disabled.key.id, { enabled: false }, operator)
  const expired = await issue('expired')
  await keys.change(expired.key.id, { expiresAt: new Date(0) }, operator)
  const revoked = await issue('revoked')
  await keys.revoke(revoked.key.id, null, operator)
  const rotated = await issue('rotated')
  await keys.rotate(rotated.key.id, { graceSeconds: 0 }, operator)
  const retryable = { requester: 'a', idempotencyKey: 'b', request: 'c' }
  const replaced = await issue('replaced', retryable)
  await issue('replaced', retryable)

  const current = { well_formed: true, generation: generationOf(secret), secret: 'current' }
  const malformed = { well_formed: false, generation: null, secret: null, allowed: false, key: null }
  const ofCurrent = `^well-formed +yes\ngeneration +${generationOf(secret)}, of the current secret\n`
  const cases: [token: string, found: object, table?: RegExp][] = [
    [
      active.keyAccessToken,
      {
        ...current,
        allowed: true,
        reason: null,
        key: { id: active.key.id },
        token: { hint: active.keyAccessToken.slice(-4), created_at: /^20/, expires_at: null, use_count: 0 }
      },
      new RegExp(`${ofCurrent}allowed +yes\nkey +${active.key.id} live\nlisted in +the database
token +….{4}, issued \\S+Z\ntoken expires +never\nkey expires +never\n$`)
    ],
    [
      `\n ${key.keyAccessToken}\r\n`,
      {
        ...current,
        allowed: true,
        reason: null,
        key: { source: 'environment' },
        token: { hint: null, generation: generationOf(secret), last_used_at: null }
      },
      /\nallowed +yes\n.*\nlisted in +CLIENT_KEYS\ntoken +not stored\ntoken expires +never\nkey expires +never\n$/
    ],
    [underPrevious, { well_formed: true, generation: generationOf(previous), secret: 'previous', allowed: true }],
    [
      typo(active.keyAccessToken),
      { ...malformed, reason: 'bad_checksum' },
      /^well-formed +no\ngeneration +-\nallowed +no: it contains a typo/
    ],
    [active.keyAccessToken.slice(0, -1), { ...malformed, reason: 'malformed' }],
    [
      key.keyId,
      { ...malformed, reason: 'malformed' },
      /\nkey +-\nlisted in +-\ntoken +-\ntoken expires +-\nkey expires +-\n$/
    ],
    [
      foreign.keyAccessToken,
      {
        well_formed: true,
        generation: generationOf(unknown),
        secret: null,
        allowed: false,
        reason: 'unknown_generation',
        key: null
      },
      /of a secret that is not configured\nallowed +no: it was sealed with a secret that is not configured here\n/
    ],
    [unlisted.keyAccessToken, { ...current, allowed: false, reason: 'not_allowed', key: null }],
    [revoked.keyAccessToken, { ...current, allowed: false, reason: 'key_revoked', key: { name: 'revoked' } }],
    [disabled.keyAccessToken, { ...current, allowed: false, reason: 'key_disabled', key: { name: 'disabled' } }],
    [expired.keyAccessToken, { ...current, allowed: false, reason: 'key_expired', key: { name: 'expired' } }],
    [
      rotated.keyAccessToken,
      { ...current, allowed: false, reason: 'token_expired', key: { name: 'rotated' } },
      /\nallowed +no: a newer token replaced it, and its grace period has ended\n[^]*\ntoken +….{4}, [^]*\ntoken expires +revoked\n/
    ],
    [replaced.keyAccessToken, { ...current, allowed: false, reason: 'token_revoked', key: { name: 'replaced' } }]
  ]
  const secrets = [
    secret,
    previous,
    ...[key, foreign, unlisted, active, disabled, expired, revoked, rotated, replaced].map(({ keyId }) => keyId)
  ]
  const inspect = async ([token, found, table]: (typeof cases)[number]): Promise<void> => {
    const [json, text] = await Promise.all([
      cli('key:inspect', ['--json'], token),
      table === undefined ? null : cli('key:inspect', [], token)
    ])
    const { allowed, reason } = JSON.parse(json.stdout)
    t.match(JSON.parse(json.stdout), found, String(reason))
    t.match(text?.stdout ?? '', table ?? '')
    for (const ended of text === null ? [json] : [json, text]) {
      t.same([ended.code, ended.stderr], [allowed ? 0 : 1, ''])
      t.notOk(
        [token.trim(), ...secrets].some(secret => ended.stdout.includes(secret)),
        'no secret is printed'
      )
    }
  }
  for (let i = 0; i < cases.length; i += 2) await Promise.all(cases.slice(i, i + 2).map(inspect))
  const environmentKey = at((await keys.list({ namePrefix: 'env_' }, { limit: 1 })).keys)
  await keys.revoke(environmentKey.id, null, operator)
  await inspect([
    key.keyAccessToken,
    { ...current, allowed: false, reason: 'key_revoked', key: { id: environmentKey.id, source: 'environment' } },
    /its key is revoked\n.*\nlisted in +CLIENT_KEYS\ntoken +not stored\n/
  ])
})

test("Trivial's own tokens can be inspected if the service accepts them", async t => {
  const { cli, issue, secret, key } = terminal(t, { CLIENT_KEY_JWT: 'true' })
  const sign = legacySigner(secret)
  t.match(await cli('key:inspect', [], sign({ key_id: (await issue('managed')).key_id })), {
    code: 1,
    stdout: /managed/
  })
  const good = sign({ key_id: key.keyId })
  t.match(await cli('key:inspect', ['--json'], good), {
    code: 0,
    stdout: /"well_formed": true,[^]*"secret": "current",[^]*"allowed": true/
  })
  t.match(await cli('key:inspect', [], sign({ key_id: 'unknown' })), {
    code: 1,
    stdout: /neither in CLIENT_KEYS nor in the database/
  })
  t.match(await cli('key:inspect', [], `${good.slice(0, -2)}xx`), { code: 1, stdout: /not sealed with the secret/ })
  t.match(await cli('key:inspect', [], good, { CLIENT_KEY_JWT: 'false' }), {
    code: 1,
    stdout: /not a key_access_token/
  })
  t.equal((await cli('key:revoke', ['-'], good)).code, 0)
  t.match(await cli('key:inspect', [], good), { code: 1, stdout: /its key is revoked/ })
})

test('a token can be checked against required scopes and an address, as in a request', async t => {
  const { cli, issue, registry } = terminal(t)
  const issued = await issue('narrow', '--scope', 'apps:read', '--allow-ip', '10.0.0.0/8', '--rate', '1/60s')
  const token = issued.key_access_token
  const reason = async (...args: string[]): Promise<[code: number | null, reason: string | null]> => {
    const { code, stdout } = await cli('key:inspect', ['--json', ...args], token)
    return [code, JSON.parse(stdout).reason]
  }
  t.same(await reason(), [0, null], 'any address, and no scopes')
  t.same(await reason('--scope', 'apps:read', '--address', '10.1.2.3'), [0, null])
  t.same(
    await reason('--scope', 'apps:read', '--address', '10.1.2.3'),
    [0, null],
    'the check does not count towards the rate limit'
  )
  t.same(await reason('--address', '11.1.2.3'), [1, 'address_not_allowed'])
  t.same(await reason('--scope', 'apps:read', '--scope', 'apps:write'), [1, 'insufficient_scope'])
  t.match(await cli('key:inspect', ['--address', '11.1.2.3'], token), { stdout: /no: its key may not be used from/ })
  t.match(await cli('key:inspect', ['--scope', 'apps'], token), { code: 2, stderr: /--scope must be apps:read or/ })
  t.match(await cli('key:inspect', ['--address', 'here'], token), { code: 2, stderr: /--address must be an IP/ })
  t.same(await (await registry()).usage(issued.id, 90), [], 'no usage is recorded')
})
