import { OTHER_ADDRESSES } from '../domain/keys/usage/recorder.ts'
import { toUsageJson } from '../http/representations/usage.ts'
import { lookBack } from './look-back.ts'

const MAX_SHOWN = 3

type Counts = Readonly<Record<string, number>>

const sum = (counts: Counts): number => Object.values(counts).reduce((all, count) => all + count, 0)

/**
 * Formats the largest counts, the number of omitted counts, and the total for addresses that have no separate count.
 */
const condensed = ({ [OTHER_ADDRESSES]: others, ...counts }: Counts): string => {
  const entries = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const more = entries.length - MAX_SHOWN
  const parts = [
    ...entries.slice(0, MAX_SHOWN).map(([label, count]) => `${label} ${count}`),
    ...(more > 0 ? [`${more} more`] : []),
    ...(others === undefined ? [] : [`others ${others}`])
  ]
  return parts.join(', ') || '-'
}

export default lookBack({
  description: `Shows how a client key was used on each day (UTC): how many requests were accepted, with which scopes
and from which addresses, and how many were refused, and why. Uses within the last second may be missing.`,

  json: 'print one JSON object with all counts',

  report: (terminal, key, counts, asJson) => {
    const usage = toUsageJson(key.id, counts)
    if (asJson) terminal.printJson(usage)
    else if (usage.days.length === 0) terminal.print(`No use of ${key.name} was recorded in this period.`)
    else {
      terminal.printTable([
        ['DAY', 'ACCEPTED', 'SCOPES', 'REFUSED', 'REASONS', 'ADDRESSES'],
        ...usage.days.map(({ day, requests, refusals, addresses }) => [
          day,
          String(sum(addresses)),
          condensed(requests),
          String(sum(refusals)),
          condensed(refusals),
          condensed(addresses)
        ])
      ])
    }
  }
})
