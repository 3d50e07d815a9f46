import { readTimestamp, toSeconds } from '../http/timestamps.ts'
import { SCOPES, scopesCovering, UNSCOPED } from '../domain/keys/policy/scopes.ts'
import type { ClientKeyFilter } from '../domain/keys/rows.ts'
import { toOwner } from './owner.ts'
import { isPossibleScope } from '../domain/services/checks.ts'
import { UsageError } from './failures.ts'
import type { OptionSpecs, Values } from './options.ts'
import { BOOLEANS, toBoolean, toTimestamp } from './option-values.ts'

/** The options that filter the list of keys. */
export const filterOptions = {
  all: { help: 'include revoked keys' },
  name: { value: '<text>', help: 'only keys whose name begins with this text' },
  owner: { value: '<text>', help: 'only keys with this owner' },
  scope: {
    value: '<scope>',
    choices: SCOPES,
    accepts: [UNSCOPED],
    acceptsOther: isPossibleScope,
    help: 'only keys that have this scope, including keys whose * or orders:* includes it; * selects only unscoped keys'
  },
  enabled: { value: '<boolean>', choices: BOOLEANS, help: 'only keys that are enabled (true) or not (false)' },
  revoked: {
    value: '<boolean>',
    choices: BOOLEANS,
    help: 'only keys that are revoked (true) or not (false, the default)'
  },
  'expires-before': {
    value: '<when>',
    help: 'only keys that expire before this time: 14d (from now), a date or a timestamp'
  },
  'unused-since': {
    value: '<when>',
    help: 'only keys that were created before this time and have not been used since: 90d (ago), a date or a timestamp'
  },
  generation: {
    value: '<generation>',
    help: 'only keys with an active token of this generation, as printed by `trivial key secrets`'
  },
  expiring: {
    value: '<time>',
    help: 'only managed keys that expire within this time, such as 14d; the exit code is 1 if there are any'
  }
} as const satisfies OptionSpecs

type FilterValues = Values<typeof filterOptions>

/**
 * Converts the options to a filter. `until` is the latest expiry if `--expiring` is given, or else null. Throws a
 * UsageError if the options are invalid.
 */
export const keyFilter = (values: FilterValues): { filter: ClientKeyFilter; until: Date | null } => {
  const { all, name, owner, scope, revoked, expiring } = values
  if (all === true && revoked !== undefined) throw new UsageError('Specify either --all or --revoked, but not both.')
  if (expiring !== undefined && (all === true || revoked !== undefined || values['expires-before'] !== undefined)) {
    throw new UsageError('--expiring lists only keys that are not revoked. Omit --all, --revoked and --expires-before.')
  }
  return {
    filter: {
      namePrefix: name,
      owner: owner === undefined ? undefined : toOwner(owner),
      anyOfScopes: scope === undefined ? undefined : scopesCovering(scope),
      enabled: toBoolean(values.enabled),
      revoked: all === true ? undefined : (toBoolean(revoked) ?? false),
      expiresBefore: toTimestamp('expires-before', values['expires-before'], 'ahead'),
      unusedSince: toTimestamp('unused-since', values['unused-since'], 'ago'),
      generation: values.generation === undefined ? undefined : toGeneration(values.generation)
    },
    until: expiring === undefined ? null : toDeadline(expiring)
  }
}

/** Validates a generation and returns it. Throws a UsageError if it isn't in the format that `key secrets` prints. */
export const toGeneration = (text: string): string => {
  if (!/^[0-9a-f]{8}$/.test(text)) {
    throw new UsageError('--generation must be 8 hexadecimal digits, as printed by `trivial key secrets`.')
  }
  return text
}

const toDeadline = (time: string): Date => {
  const deadline = toSeconds(time) === null ? '' : readTimestamp(time, 'ahead')
  if (typeof deadline === 'string') throw new UsageError('--expiring must be a duration, such as 14d or 12h.')
  return deadline
}
