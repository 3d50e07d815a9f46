import type { ClientKeyRecord } from './client-key.ts'
import type { KeyRegistry } from './registry.ts'
import type { ClientKeyFilter } from './store.ts'

const NOTICE_MS = 14 * 86_400_000
const PAGE = 100

/**
 * The keys that are not revoked, expire after an instant and before another, 14 days later unless told, and pass a
 * filter; ordered by id.
 */
export async function* expiringKeys(
  keys: Pick<KeyRegistry, 'list'>,
  now: Date,
  until = new Date(now.getTime() + NOTICE_MS),
  others: ClientKeyFilter = {}
): AsyncGenerator<ClientKeyRecord & { expiresAt: Date }> {
  const filter = { ...others, revoked: false, expiresBefore: until }
  let after: string | undefined
  do {
    const page = await keys.list(filter, PAGE, after)
    for (const key of page.keys) {
      const { expiresAt } = key
      if (expiresAt !== null && expiresAt > now) yield { ...key, expiresAt }
    }
    after = page.more ? page.keys.at(-1)?.id : undefined
  } while (after !== undefined)
}
