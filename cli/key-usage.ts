import { OTHER_ADDRESSES } from '../domain/keys/evidence.ts'
import { toUsageJson } from '../domain/keys/representation.ts'
import { command, DONE } from './command.ts'
import { DEFAULT_DAYS, toDays } from './days.ts'
import { KEY_ARGUMENT, keyOf, withKeys } from './keys.ts'

const MOST_SHOWN = 3

type Counts = Readonly<Record<string, number>>

const sum = (counts: Counts): number => Object.values(counts).reduce((all, count) => all + count, 0)

/** The largest counts, how many others there are, and what is counted as one. */
const condensed = ({ [OTHER_ADDRESSES]: others, ...counts }: Counts): string => {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const more = entries.length - MOST_SHOWN
  const parts = [
    ...entries.slice(0, MOST_SHOWN).map(([label, count]) => `${label} ${count}`),
    ...(more > 0 ? [`${more} more`] : []),
    ...(others === undefined ? [] : [`others ${others}`])
  ]
  return parts.join(', ') || '-'
}

export default command({
  help: `npm run key:usage -- <key> [--days <n>] [--json]

Shows how a client key was used, day by day (UTC), up to a second ago: how many requests were let in, under which scopes and from
which addresses, and how many were refused, and why.

  <key>       its id or its name, or - to read a token of it from standard input
  --days <n>  look back so many days, today included: ${DEFAULT_DAYS} unless told, 90 at most
  --json      one JSON object, with every count
  --help      this text`,

  options: { days: { type: 'string' }, json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ days = DEFAULT_DAYS, json }, terminal, argument) => {
    const count = toDays(days)
    return await withKeys(terminal, async keys => {
      const key = await keyOf(terminal, keys, argument)
      const usage = toUsageJson(key.id, await keys.usage(key.id, count))
      if (json === true) {
        terminal.printJson(usage)
        return DONE
      }
      if (usage.days.length === 0) {
        terminal.print(`Nothing was seen of ${key.name} in these days.`)
        return DONE
      }
      terminal.printTable([
        ['DAY', 'LET IN', 'SCOPES', 'REFUSED', 'REASONS', 'ADDRESSES'],
        ...usage.days.map(({ day, requests, refusals, addresses }) => [
          day,
          String(sum(addresses)),
          condensed(requests),
          String(sum(refusals)),
          condensed(refusals),
          condensed(addresses)
        ])
      ])
      return DONE
    })
  }
})
