import { readInstant, toSeconds } from '../http/instants.ts'
import { SCOPES, UNSCOPED } from '../domain/keys/policy/scopes.ts'
import type { ClientKeyFilter } from '../domain/keys/rows.ts'
import { UsageError } from './failures.ts'
import type { OptionSpecs, Values } from './options.ts'
import { ANSWERS, toBoolean, toInstant } from './option-values.ts'

/** The options that say which keys to list. */
export const filterOptions = {
  all: { help: 'revoked keys too' },
  name: { value: '<text>', help: 'keys whose name begins so' },
  scope: {
    value: '<scope>',
    choices: SCOPES,
    accepts: [UNSCOPED],
    help: 'keys that have this scope, as unscoped ones do; *: unscoped ones only'
  },
  enabled: { value: '<answer>', choices: ANSWERS, help: 'keys that are enabled, or that are not' },
  revoked: {
    value: '<answer>',
    choices: ANSWERS,
    help: 'keys that are revoked, or that are not, as is the default'
  },
  'expires-before': {
    value: '<when>',
    help: 'keys that expire before then: 14d (from now), a day or an instant'
  },
  'unused-since': {
    value: '<when>',
    help: 'keys that are older than that and were not used from then on: 90d (ago), a day or an instant'
  },
  generation: {
    value: '<secret>',
    help: 'keys with an active token that this secret sealed, as key secrets names it'
  },
  expiring: {
    value: '<time>',
    help: 'managed keys that expire within that time, such as 14d; exit code 1 where there are any'
  }
} as const satisfies OptionSpecs

type FilterValues = Values<typeof filterOptions>

/** Which keys the options mean, and, where they ask for keys that expire, until when. Throws a UsageError. */
export const keyFilter = (values: FilterValues): { filter: ClientKeyFilter; until: Date | null } => {
  const { all, name, scope, revoked, expiring } = values
  if (all === true && revoked !== undefined) throw new UsageError('--all leaves no choice to --revoked: name one.')
  if (expiring !== undefined && (all === true || revoked !== undefined || values['expires-before'] !== undefined)) {
    throw new UsageError(
      '--expiring is about keys that are not revoked: it goes without --all, --revoked and --expires-before.'
    )
  }
  return {
    filter: {
      namePrefix: name,
      scope,
      enabled: toBoolean(values.enabled),
      revoked: all === true ? undefined : (toBoolean(revoked) ?? false),
      expiresBefore: toInstant('expires-before', values['expires-before'], 'ahead'),
      unusedSince: toInstant('unused-since', values['unused-since'], 'ago'),
      generation: values.generation === undefined ? undefined : toGeneration(values.generation)
    },
    until: expiring === undefined ? null : toDeadline(expiring)
  }
}

/** Checks the name of a secret, as `key secrets` prints it. Throws a UsageError. */
export const toGeneration = (text: string): string => {
  if (!/^[0-9a-f]{8}$/.test(text)) {
    throw new UsageError('--generation must be 8 hexadecimal digits, as key secrets prints them.')
  }
  return text
}

const toDeadline = (time: string): Date => {
  const deadline = toSeconds(time) === null ? '' : readInstant(time, 'ahead')
  if (typeof deadline === 'string') throw new UsageError('--expiring must be a time, such as 14d or 12h.')
  return deadline
}
