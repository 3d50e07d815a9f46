import { ACTOR_KINDS, SUBJECT_TYPES } from '../domain/audits/audit.ts'
import type { Audit } from '../domain/audits/audit.ts'
import { createAuditService } from '../domain/audits/service.ts'
import { DEFAULT_LIMIT, pageQuery } from '../http/pages.ts'
import { writeAudit } from '../http/representations/audits.ts'
import { command, DONE, jsonOption } from './command.ts'
import { formatTimestamp } from './key-rows.ts'
import { toTimestamp, toNumber } from './option-values.ts'
import { withStorage } from './storage.ts'

const { maximum: MAX_LIMIT } = pageQuery('entries').limit

export default command({
  description: `Lists the entries of the audit trail, newest first: what was changed, by whom, when, and from which IP
address.`,

  options: {
    'subject-type': { value: '<type>', choices: SUBJECT_TYPES, help: 'only changes to this type of resource' },
    'subject-id': { value: '<id>', help: 'only changes to the resource with this id' },
    'actor-kind': { value: '<kind>', choices: ACTOR_KINDS, help: 'only changes made by this kind of actor' },
    'actor-id': { value: '<id>', help: 'only changes made by the actor with this id' },
    action: { value: '<action>', help: 'only entries with this action, such as client_key.rotate' },
    since: { value: '<when>', help: 'only entries at or after this time: 7d (ago), a date or a timestamp' },
    until: { value: '<when>', help: 'only entries before this time: 1d (ago), a date or a timestamp' },
    limit: { value: '<n>', help: `the maximum number of entries: ${DEFAULT_LIMIT} by default, at most ${MAX_LIMIT}` },
    after: { value: '<number>', help: 'only entries that are older than the entry with this number' },
    ...jsonOption('print a JSON array, with the details of each change')
  },

  run: async ({ json = false, ...values }, terminal) => {
    const filter = {
      subjectType: values['subject-type'],
      subjectId: values['subject-id'],
      actorKind: values['actor-kind'],
      actorId: values['actor-id'],
      action: values.action,
      since: toTimestamp('since', values.since, 'ago'),
      until: toTimestamp('until', values.until, 'ago')
    }
    const { limit = String(DEFAULT_LIMIT), after } = values
    const page = {
      limit: toNumber('limit', limit, MAX_LIMIT),
      before: after === undefined ? undefined : toNumber('after', after, Number.MAX_SAFE_INTEGER)
    }
    const { audits, more } = await withStorage(
      terminal,
      async storage => await createAuditService(storage).page(filter, page),
      { readOnly: true }
    )
    if (json) terminal.printJson(audits.map(audit => JSON.parse(writeAudit(audit)) as unknown))
    else if (audits.length === 0) terminal.print('No entry matches.')
    else {
      terminal.printTable(rowsOf(audits))
      if (more) terminal.print(`\nThere are older entries. To list them, add --after ${audits.at(-1)?.sequence}`)
    }
    return DONE
  }
})

const rowsOf = (audits: readonly Audit[]): string[][] => [
  ['NUMBER', 'AT', 'ACTOR', 'ACTION', 'SUBJECT', 'CHANGED', 'FROM'],
  ...audits.map(({ sequence, at, actor, action, subject, changes, address }) => [
    String(sequence),
    formatTimestamp(at),
    `${actor.kind} ${actor.id} ${actor.name}`,
    action,
    `${subject.type} ${subject.id}`,
    Object.keys(JSON.parse(changes) as object).join(' ') || '-',
    address ?? '-'
  ])
]
