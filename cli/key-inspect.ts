import type { KeyService } from '../domain/keys/service.ts'
import { toKeyJson } from '../domain/keys/representation.ts'
import { command, DONE, jsonOption, REFUSED } from './command.ts'
import { readToken, withKeys } from './keys.ts'

const reasons: Readonly<Record<string, string>> = {
  malformed: 'it is no key_access_token',
  bad_checksum: 'it has a typo, or a part of it is missing',
  unknown_version: 'it is of a version that this service does not know',
  unknown_generation: 'it was sealed with a secret that is not configured here',
  forged: 'it was not sealed with the secret that it says',
  not_allowed: 'its key is neither in CLIENT_KEYS nor in the database',
  key_revoked: 'its key is revoked',
  key_disabled: 'its key is disabled',
  key_expired: 'its key has expired',
  token_revoked: 'the token is revoked, since another took its place',
  token_expired: 'the token was rotated out, and its grace is over'
}

export default command({
  description: `Tells what a token on standard input is worth, without printing it: whether it is well-formed, which
secret sealed it, whether it is allowed, by what, and why not. At a terminal, paste the token, then press Enter and
Ctrl-D. Where a token is allowed, the address, the scope and the rate limit may still refuse a request.`,
  notes: 'Exit code 0: it is allowed. 1: it is not.',

  options: jsonOption('one JSON object'),

  run: async ({ json = false }, terminal) =>
    await withKeys(terminal, async keys => {
      const found = await keys.inspect(await readToken(terminal))
      if (json) terminal.printJson(toJson(found))
      else terminal.printTable(rowsOf(found))
      return found.allowed ? DONE : REFUSED
    })
})

type Inspected = Awaited<ReturnType<KeyService['inspect']>>

const toJson = ({ wellFormed, generation, secret, allowed, reason, key }: Inspected): object => ({
  well_formed: wellFormed,
  generation,
  secret,
  allowed,
  reason,
  key: key === null ? null : toKeyJson(key)
})

const rowsOf = ({ wellFormed, generation, secret, allowed, reason, key }: Inspected): string[][] => [
  ['well-formed', wellFormed ? 'yes' : 'no'],
  [
    'generation',
    generation === null
      ? '-'
      : `${generation}, ${secret === null ? 'of a secret that is not configured' : `of the ${secret} secret`}`
  ],
  ['allowed', allowed ? 'yes' : `no: ${reasons[String(reason)]}`],
  ['key', key === null ? '-' : `${key.id} ${key.name}`],
  ['by', key === null ? '-' : key.source === 'managed' ? 'the database' : 'CLIENT_KEYS']
]
