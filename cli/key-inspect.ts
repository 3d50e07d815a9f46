import { isIP } from 'node:net'
import { SCOPES } from '../domain/keys/policy/scopes.ts'
import type { TokenRecord } from '../domain/keys/client-key.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { isPossibleScope } from '../domain/services/checks.ts'
import { toInspectionJson } from '../http/representations/inspection.ts'
import { command, DONE, jsonOption, REFUSED } from './command.ts'
import { UsageError } from './failures.ts'
import { formatTimestamp } from './key-rows.ts'
import { readToken, readKeys } from './keys.ts'

const reasons: Readonly<Record<string, string>> = {
  malformed: 'it is not a key_access_token',
  bad_checksum: 'it contains a typo or is incomplete',
  unknown_version: 'this service does not support its version',
  unknown_generation: 'it was sealed with a secret that is not configured here',
  forged: 'it was not sealed with the secret that its generation identifies',
  not_allowed: 'its key is neither in CLIENT_KEYS nor in the database',
  key_revoked: 'its key is revoked',
  key_disabled: 'its key is disabled',
  key_expired: 'its key has expired',
  token_revoked: 'the token was revoked because a newer one replaced it',
  token_expired: 'a newer token replaced it, and its grace period has ended',
  address_not_allowed: 'its key may not be used from this address',
  insufficient_scope: 'its key lacks a required scope'
}

export default command({
  description: `Checks a token from standard input, and reports whether it is well-formed, which secret it was sealed
with, whether it is allowed, and if not, why. It also shows the token's key and when both expire. The token itself is
never printed. At a terminal, paste the token, then press Enter and Ctrl-D.

With --scope and --address, the token is checked as if it were used for a request that requires these scopes and comes
from this address. The rate limit is not checked. The check is not counted or recorded as a use of the token.`,
  notes: 'Exit code: 0 if the token is allowed, 1 if not.',

  options: {
    scope: {
      value: '<scope>',
      multiple: true,
      choices: SCOPES,
      acceptsOther: isPossibleScope,
      help: 'a scope that the key must have; may be repeated'
    },
    address: { value: '<ip>', help: 'the IP address of the request; by default, the address is not checked' },
    ...jsonOption('print one JSON object')
  },

  run: async ({ json = false, scope, address }, terminal) =>
    await readKeys(terminal, async keys => {
      const demand = { scopes: scope, address: readAddress(address) }
      const found = await keys.inspect(await readToken(terminal), demand)
      if (json) terminal.printJson(toInspectionJson(found))
      else terminal.printTable(rowsOf(found))
      return found.allowed ? DONE : REFUSED
    })
})

const readAddress = (text: string | undefined): string | undefined => {
  if (text !== undefined && isIP(text) === 0) throw new UsageError('--address must be an IP address.')
  return text
}

type Inspected = Awaited<ReturnType<KeyService['inspect']>>

const rowsOf = ({ wellFormed, generation, secret, allowed, reason, key, token }: Inspected): string[][] => [
  ['well-formed', wellFormed ? 'yes' : 'no'],
  [
    'generation',
    generation === null
      ? '-'
      : `${generation}, ${secret === null ? 'of a secret that is not configured' : `of the ${secret} secret`}`
  ],
  ['allowed', allowed ? 'yes' : `no: ${reasons[String(reason)]}`],
  ['key', key === null ? '-' : `${key.id} ${key.name}`],
  ['owner', key?.owner ?? '-'],
  ['listed in', key === null ? '-' : key.source === 'managed' ? 'the database' : 'CLIENT_KEYS'],
  ['token', token === null ? '-' : tokenText(token)],
  ['token expires', token === null ? '-' : expiryText(token)],
  ['key expires', key === null ? '-' : formatTimestamp(key.expiresAt, 'never')]
]

// Tokens of environment keys aren't stored. Only their use is recorded.
const tokenText = ({ hint, createdAt }: TokenRecord): string =>
  hint === null ? 'not stored' : `…${hint}, issued ${formatTimestamp(createdAt)}`

const expiryText = ({ expiresAt, revokedAt }: TokenRecord): string =>
  revokedAt === null ? formatTimestamp(expiresAt, 'never') : 'revoked'
