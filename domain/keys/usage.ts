import { keptAgent } from '../../net/user-agent.ts'
import type { Transactor } from '../transactor.ts'
import type { KeyRows } from './rows.ts'
import { DAYS_KEPT, MAX_ADDRESSES, OTHER_ADDRESSES } from './usage-recorder.ts'
import type { TokenUse } from './usage-recorder.ts'

const DAY_MS = 86_400_000

/** The day, such as 2026-01-31, that is `days` before an instant, in UTC. */
export const dayBefore = (at: Date, days: number): string =>
  new Date(at.getTime() - days * DAY_MS).toISOString().slice(0, 10)

const addUse = async (keys: KeyRows, day: string, use: TokenUse): Promise<void> => {
  const { token, count, lastAt, lastIp, lastAgent, scopes, addresses, refusals } = use
  const { id, source } = token.key
  const usage = {
    count,
    lastUsedAt: new Date(lastAt),
    lastUsedIp: lastIp,
    lastUsedAgent: keptAgent(lastAgent)
  }
  if (count > 0 && source === 'managed') await keys.addTokenUsage(token.digest, usage)
  if (count > 0 && source === 'environment') await keys.addEnvironmentUsage(id, token.generation, usage)
  for (const [label, times] of scopes) await keys.addUsage(id, { day, kind: 'scope', label, count: times })
  for (const [label, times] of refusals) await keys.addUsage(id, { day, kind: 'refusal', label, count: times })
  for (const [label, times] of addresses) await addAddress(keys, id, { day, kind: 'address', label, count: times })
}

const addAddress = async (keys: KeyRows, id: string, usage: Parameters<KeyRows['addUsage']>[1]): Promise<void> => {
  if (await keys.addToUsage(id, usage)) return
  const isRoom = (await keys.countUsageLabels(id, usage)) < MAX_ADDRESSES
  await keys.addUsage(id, isRoom ? usage : { ...usage, label: OTHER_ADDRESSES })
}

/**
 * Makes the function that stores how keys were used on a day. It does not wait for the disk: a power cut may take the
 * last of it. Counts older than is promised are removed once a day.
 */
export const createUsageWriter = ({
  write
}: Pick<Transactor<unknown, { keys: KeyRows }>, 'write'>): ((
  day: string,
  uses: readonly TokenUse[]
) => Promise<void>) => {
  let prunedOn = ''
  return async (day, uses) => {
    await write(
      async ({ keys }) => {
        for (const use of uses) await addUse(keys, day, use)
        if (day > prunedOn) await keys.removeUsage({ day: dayBefore(new Date(day), DAYS_KEPT - 1) })
      },
      { mayBeLost: true }
    )
    if (day > prunedOn) prunedOn = day
  }
}
