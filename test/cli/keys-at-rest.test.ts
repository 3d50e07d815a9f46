import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { createTokenSealer, digestOf, issueClientKey } from '../../domain/keys/token/token.ts'
import { at, newSecret } from '../helper.ts'
import { live, stop } from './live.ts'
import type { Issued } from './terminal.ts'

test('after every command and every use of a key, the database contains no token, key_id or secret', async t => {
  const previous = newSecret()
  const { service, cli, get } = await live(t, { CLIENT_SECRET_PREVIOUS: previous })
  const underPrevious = issueClientKey(createTokenSealer(previous))
  const credentials = [
    service.secret,
    previous,
    service.key.keyId,
    service.key.keyAccessToken,
    underPrevious.keyId,
    underPrevious.keyAccessToken
  ]
  const keep = ({ key_id: keyId, key_access_token: token }: Issued): string => {
    credentials.push(keyId, token)
    return token
  }
  const token = keep(JSON.parse((await cli('key:issue', ['--name', 'billing-sync', '--json'])).stdout) as Issued)
  const second = keep(JSON.parse((await cli('key:rotate', ['-', '--json'], token)).stdout) as Issued)
  t.same([await get(token), await get(second), await get(service.key.keyAccessToken)], [200, 200, 200])
  await fetch(`http://127.0.0.1:${service.port}/apps`, {
    headers: { authorization: `Bearer ${second}`, 'user-agent': `x ${second}` }
  })
  await get(underPrevious.keyAccessToken)
  const disabled = await cli('key:disable', ['billing-sync'])
  const enabled = await cli('key:enable', ['billing-sync'])
  const looked = await Promise.all([
    cli('key:show', ['billing-sync']),
    cli('key:secrets'),
    cli('key:inspect', [], underPrevious.keyAccessToken),
    cli('key:change', ['billing-sync', '--description', `is ${token}`])
  ])
  const ended = [disabled, enabled, ...looked, await cli('key:revoke', ['-', '--reason', 'over'], second)]
  t.same(
    ended.map(({ code }) => code),
    [0, 0, 0, 0, 1, 2, 0]
  )
  const printed = ended.map(({ stdout, stderr }) => stdout + stderr).join('')
  t.notOk(
    credentials.some(credential => printed.includes(credential)),
    'no credential is printed'
  )

  const path = service.env['DATABASE_URL'].slice('file:'.length)
  const bytes = (): Buffer =>
    Buffer.concat(
      ['', '-wal', '-shm']
        .map(end => path + end)
        .filter(file => existsSync(file))
        .map(file => readFileSync(file))
    )
  const running = bytes()
  await stop(service)
  const raw = credentials
    .filter(credential => /^[0-9a-f]+$/.test(credential))
    .map(credential => Buffer.from(credential, 'hex'))
  for (const kept of [running, bytes()]) {
    t.ok(
      kept.includes('billing-sync') && kept.includes(digestOf(at(credentials, 6))),
      'the database contains the name and the digest'
    )
    t.notOk([...credentials, ...raw].some(credential => kept.includes(credential)))
  }
})
