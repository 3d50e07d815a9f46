import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import type { UsageCount } from '../domain/keys/rows.ts'
import { OTHER_ADDRESSES } from '../domain/keys/usage/recorder.ts'
import { sum, toOwnerUsageJson, toUsageJson } from '../http/representations/usage.ts'
import { command, DONE, jsonOption } from './command.ts'
import { keyOf, readKeys } from './keys.ts'
import { daysOption, toDays } from './look-back.ts'
import { KEY_OR_OWNER, toOwnerOrNull } from './owner.ts'
import type { Terminal } from './terminal.ts'

const MAX_SHOWN = 3

type Counts = Readonly<Record<string, number>>

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

export default command({
  description: `Shows how a client key was used on each day (UTC): how many requests were accepted, with which scopes
and from which addresses, and how many were refused, and why. With --owner, the command shows the totals of all keys of
that owner, without addresses. Uses within the last second may be missing.`,

  options: {
    owner: { value: '<text>', help: 'show the totals of all keys of this owner' },
    ...daysOption,
    ...jsonOption('print one JSON object with all counts')
  },
  argument: KEY_OR_OWNER,

  run: async ({ owner: given, days, json = false }, terminal, argument) => {
    const owner = toOwnerOrNull(argument, given)
    const count = toDays(days)
    await readKeys(terminal, async keys => {
      if (owner !== null) {
        reportOwner(terminal, owner, await keys.usageOfOwner(owner, count), json)
        return
      }
      const key = await keyOf(terminal, keys, argument)
      reportKey(terminal, key, await keys.usage(key.id, count), json)
    })
    return DONE
  }
})

type Report<Subject> = (terminal: Terminal, subject: Subject, counts: UsageCount[], asJson: boolean) => void

const reportKey: Report<ClientKeyRecord> = (terminal, key, counts, asJson) => {
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

const reportOwner: Report<string> = (terminal, owner, counts, asJson) => {
  const usage = toOwnerUsageJson(owner, counts)
  if (asJson) terminal.printJson(usage)
  else if (usage.days.length === 0) terminal.print(`No use of a key of ${owner} was recorded in this period.`)
  else {
    terminal.printTable([
      ['DAY', 'ACCEPTED', 'SCOPES', 'REFUSED', 'REASONS'],
      ...usage.days.map(({ day, accepted, requests, refusals }) => [
        day,
        String(accepted),
        condensed(requests),
        String(sum(refusals)),
        condensed(refusals)
      ])
    ])
  }
}
