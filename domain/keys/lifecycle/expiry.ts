import type { ClientKeyRecord } from '../client-key.ts'
import type { KeyService } from '../service.ts'
import type { ClientKeyFilter } from '../rows.ts'

const NOTICE_MS = 14 * 86_400_000
const PAGE = 1000

/**
 * Yields the unrevoked keys that match a filter and expire after `now` and before `until`, ordered by id. `until`
 * defaults to 14 days after `now`.
 */
export async function* expiringKeys(
  keys: Pick<KeyService, 'list'>,
  now: Date,
  until = new Date(now.getTime() + NOTICE_MS),
  others: ClientKeyFilter = {}
): AsyncGenerator<ClientKeyRecord & { expiresAt: Date }> {
  const filter = { ...others, revoked: false, expiresBefore: until }
  let after: string | undefined
  do {
    const page = await keys.list(filter, { limit: PAGE, after })
    for (const key of page.keys) {
      const { expiresAt } = key
      if (expiresAt !== null && expiresAt > now) yield { ...key, expiresAt }
    }
    after = page.more ? page.keys.at(-1)?.id : undefined
  } while (after !== undefined)
}
