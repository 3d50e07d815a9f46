import type { AuditPage } from '../../domain/audits/scoped-pages.ts'
import type { ScopedAudit } from '../../domain/audits/scope.ts'

// The format of audit entries that Trivial's own clients expect.

const NOT_PROVIDED = 'Not provided'

const AuditChangeJson = {
  type: 'object',
  required: ['attribute', 'patch', 'old_value', 'new_value'],
  properties: {
    attribute: { type: 'string', examples: ['descriptive_name'] },
    patch: {
      type: 'string',
      description: 'The change as text, in one or two lines.',
      examples: ['- descriptive_name: Night Shift\n+ descriptive_name: Day Shift']
    },
    old_value: {
      description: 'The value before the change, or null if there was none or it is not shown.',
      examples: ['Night Shift']
    },
    new_value: {
      description: 'The value after the change, or null if there is none or it is not shown.',
      examples: ['Day Shift']
    }
  }
} as const

const PagedAuditJson = {
  type: 'object',
  required: [
    'id',
    'user_id',
    'user_name',
    'user_email',
    'reference_id',
    'reference_type',
    'reference_name',
    'action',
    'audited_changes',
    'created_at'
  ],
  properties: {
    id: { type: 'integer', description: 'The number of the entry in the audit trail.', examples: [42] },
    user_id: {
      type: ['integer', 'null'],
      description: 'The id of the user who made the change, or null if no user made it.',
      examples: [1]
    },
    user_name: {
      type: 'string',
      description: 'The name of the user or client key that made the change.',
      examples: ['Ada Moreno']
    },
    user_email: {
      type: 'string',
      description:
        'The e-mail address of the user who made the change, if they belong to the organization or own the app. ' +
        `Otherwise \`${NOT_PROVIDED}\`.`,
      examples: ['ada@example.com']
    },
    reference_id: {
      type: 'integer',
      description: 'The id of the app, organization or user that was changed.',
      examples: [1]
    },
    reference_type: { type: 'string', enum: ['App', 'Organization'], examples: ['App'] },
    reference_name: {
      type: 'string',
      description: 'The current name of the app, organization or user that was changed.',
      examples: ['Day Shift']
    },
    action: { type: 'string', enum: ['create', 'update', 'destroy'], examples: ['update'] },
    audited_changes: { type: 'array', items: AuditChangeJson },
    created_at: { type: 'string', format: 'date-time', examples: ['2026-01-05T09:00:00.000Z'] }
  }
} as const

export const AuditPageJson = {
  $id: 'AuditPage',
  type: 'object',
  required: ['current_page', 'total_pages', 'audits'],
  properties: {
    current_page: { type: 'integer', examples: [1] },
    total_pages: {
      type: 'integer',
      description:
        'The number of pages. If there are more than 10,000 entries, only the next 1,000 after this page are counted.',
      examples: [3]
    },
    audits: { type: 'array', items: PagedAuditJson }
  }
} as const

type Action = 'create' | 'update' | 'destroy'

interface Change {
  readonly from?: unknown
  readonly to?: unknown
  readonly changed?: true
}

/** Trivial's names for the actions that create or delete something. All other actions are updates. */
const ACTIONS: Readonly<Record<string, Action>> = {
  'app.create': 'create',
  'app.copy': 'create',
  'app.add_tag': 'create',
  'app.remove_tag': 'destroy',
  'organization.create': 'create',
  'organization.remove_user': 'destroy'
}

const textOf = (value: unknown = null): string => {
  if (value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const patchOf = (action: Action, attribute: string, change: Change): string => {
  const [from, to] = [`${attribute}: ${textOf(change.from)}`, `${attribute}: ${textOf(change.to)}`]
  if (action === 'create') return `[created] ${to}`
  if (action === 'destroy') return `[destroyed] ${from}`
  if (change.changed === true) return `${attribute}: changed`
  return 'from' in change ? `- ${from}\n+ ${to}` : to
}

const toChangeJson = (action: Action, attribute: string, change: Change) => ({
  attribute,
  patch: patchOf(action, attribute, change),
  old_value: change.from ?? null,
  new_value: change.to ?? null
})

/** Returns the changes in an entry. As in Trivial, deleting an app sets its `discarded_at`. */
const changesOf = ({ action, at, changes }: ScopedAudit): Record<string, Change> =>
  action === 'app.delete'
    ? { discarded_at: { from: null, to: at.toISOString() } }
    : (JSON.parse(changes) as Record<string, Change>)

const toPagedAuditJson = (audit: ScopedAudit) => {
  const { sequence, actor, subject, appId, subjectName, actorEmail, at } = audit
  const action = ACTIONS[audit.action] ?? 'update'
  return {
    id: sequence,
    user_id: actor.kind === 'user' ? Number(actor.id) : null,
    user_name: actor.name,
    user_email: provided(actorEmail),
    reference_id: appId ?? Number(subject.id),
    reference_type: subject.type.slice(0, 1).toUpperCase() + subject.type.slice(1),
    reference_name: provided(subjectName),
    action,
    audited_changes: Object.entries(changesOf(audit)).map(([attribute, change]) =>
      toChangeJson(action, attribute, change)
    ),
    created_at: at.toISOString()
  }
}

const provided = (text: string | null): string => text ?? NOT_PROVIDED

export const toAuditPageJson = (page: number, { totalPages, audits }: AuditPage) => ({
  current_page: page,
  total_pages: totalPages,
  audits: audits.map(toPagedAuditJson)
})
