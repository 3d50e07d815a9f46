import type { KeyFreshness } from '../../../domain/keys/freshness/freshness.ts'
import type { Readiness } from '../../../domain/readiness.ts'
import type { DirectConnection } from '../direct.ts'

const PROBE = `
  select current_setting('transaction_read_only') = 'on',
    num_nulls(
      to_regclass('client_keys'), to_regclass('client_key_tokens'), to_regclass('client_key_changes'),
      to_regclass('environment_key_revocations'), to_regclass('nodes'), to_regclass('audits'), to_regclass('audit_head')
    ) = 0
`

/** Returns the database's current readiness, as seen on the connections that requests with keys wait for. */
export const readReadiness = async (
  { barrier }: Pick<KeyFreshness, 'barrier'>,
  { query }: Pick<DirectConnection, 'query'>
): Promise<Readiness> => {
  const [lease, probe] = await Promise.allSettled([barrier(), query<[boolean, boolean]>({ text: PROBE })])
  const [isReadOnly, hasTables] = (probe.status === 'fulfilled' && probe.value[0]) || [true, true]
  const keys = lease.status === 'fulfilled' && probe.status === 'fulfilled' && hasTables
  return {
    keys,
    changes: keys && !isReadOnly,
    failing: [
      ...(lease.status === 'fulfilled' ? [] : (['lease'] as const)),
      ...(isReadOnly ? (['primary'] as const) : []),
      ...(hasTables ? [] : (['schema'] as const))
    ],
    causes: [lease, probe].flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  }
}
