import type { OrganizationRole, Permit } from '../domain/access/rules.ts'
import type { NewApp, Owner, TagKey } from '../domain/apps/app.ts'

export interface Sample {
  readonly users: readonly { id: number; name: string; email: string; role?: 'admin' }[]
  readonly organizations: readonly { id: number; name: string; billingEmail: string }[]
  readonly apps: readonly (NewApp & { tags: readonly TagKey[] })[]
  readonly memberships: readonly { organizationId: number; userId: number; role: OrganizationRole }[]
  /** Grants by app name. */
  readonly grants: readonly { app: string; userId: number; permits: readonly Permit[] }[]
  /** The time at which users and organizations were created. */
  readonly createdAt: Date
}

const user = (id: number): Owner => ({ type: 'User', id })
const organization = (id: number): Owner => ({ type: 'Organization', id })

const APPS: [name: string, descriptiveName: string, owner: Owner, tags: [context: string, name: string][]][] = [
  [
    'ba6811fb3e073d',
    'Invoice Sync',
    organization(1),
    [
      ['department', 'finance'],
      ['stage', 'production']
    ]
  ],
  [
    '3f1c09d2a7be54',
    'Payroll Export',
    organization(1),
    [
      ['department', 'finance'],
      ['stage', 'production']
    ]
  ],
  [
    '9d20e7c45a16fb',
    'Expense Review',
    organization(1),
    [
      ['department', 'finance'],
      ['stage', 'staging']
    ]
  ],
  ['c4817be90d3a62', 'New Hire Checklist', organization(1), [['department', 'people']]],
  ['5e93ab1f60c2d8', 'Visitor Badges', organization(1), [['department', 'facilities']]],
  [
    '07d4f2b86ca91e',
    'Order Intake',
    organization(2),
    [
      ['department', 'sales'],
      ['stage', 'production']
    ]
  ],
  [
    'e8a35c170b94df',
    'Warehouse Stock',
    organization(2),
    [
      ['department', 'logistics'],
      ['stage', 'production']
    ]
  ],
  [
    '61bc9f04e2d73a',
    'Carrier Rates',
    organization(2),
    [
      ['department', 'logistics'],
      ['stage', 'staging']
    ]
  ],
  ['a902d7e6f41b5c', 'Returns Desk', organization(2), [['department', 'support']]],
  ['2c5e8b73d09fa1', 'Supplier Scorecard', organization(2), [['department', 'purchasing']]],
  ['f47a10c9e8b26d', 'Price List Import', organization(2), [['department', 'sales']]],
  [
    '8b06d3f5a17ec2',
    'Donor Letters',
    organization(3),
    [
      ['department', 'fundraising'],
      ['stage', 'production']
    ]
  ],
  ['d19e62b7c40fa8', 'Volunteer Roster', organization(3), [['department', 'people']]],
  ['4a7fc8051e9bd3', 'Grant Deadlines', organization(3), [['department', 'fundraising']]],
  ['70e2d94bc6a18f', 'Weather Alerts', user(1), [['topic', 'home']]],
  ['b53f8a16d7e0c9', 'Reading List', user(1), [['topic', 'home']]],
  [
    '1d84e6c0f29ba7',
    'Server Heartbeat',
    user(1),
    [
      ['topic', 'operations'],
      ['stage', 'production']
    ]
  ],
  ['96c7b20ae5d41f', 'Link Shortener', user(2), [['topic', 'tools']]],
  ['ec03f6917bd8a4', 'Meeting Notes', user(2), [['topic', 'tools']]],
  ['38b9d5e2071cfa', 'Release Calendar', user(2), [['topic', 'operations']]],
  ['cf61a04d8e39b7', 'Plant Watering', user(3), [['topic', 'home']]],
  ['52f8e7b3c9a06d', 'Marathon Plan', user(3), []],
  ['ad7130c5e64f2b', 'Recipe Scaler', user(4), [['topic', 'home']]],
  [
    '0e9b47d2f8c5a3',
    'Photo Backup',
    user(4),
    [
      ['topic', 'tools'],
      ['stage', 'staging']
    ]
  ]
]

const SCHEDULED = /Sync|Export|Alerts|Heartbeat|Backup|Import/

// One minute apart, so that lists ordered by time look realistic.
const minute = (index: number): Date => new Date(Date.UTC(2026, 0, 5, 9, index))

/** A few users and organizations, and two dozen apps with tags. The sample is always the same. */
export const sample: Sample = {
  createdAt: minute(0),
  users: [
    { id: 1, name: 'Ada Moreno', email: 'ada@example.com' },
    { id: 2, name: 'Ben Okafor', email: 'ben@example.com' },
    { id: 3, name: 'Chiara Lund', email: 'chiara@example.com' },
    { id: 4, name: 'Dmitri Sato', email: 'dmitri@example.com', role: 'admin' }
  ],
  organizations: [
    { id: 1, name: 'Northwind Accounting', billingEmail: 'billing@northwind.example.com' },
    { id: 2, name: 'Harbor Supply', billingEmail: 'accounts@harbor.example.com' },
    { id: 3, name: 'River Valley Trust', billingEmail: 'office@rivervalley.example.com' }
  ],
  memberships: [
    { organizationId: 1, userId: 1, role: 'admin' },
    { organizationId: 1, userId: 2, role: 'member' },
    { organizationId: 1, userId: 3, role: 'guest' },
    { organizationId: 2, userId: 2, role: 'admin' },
    { organizationId: 3, userId: 3, role: 'admin' }
  ],
  grants: [{ app: '70e2d94bc6a18f', userId: 3, permits: ['read', 'update'] }],
  apps: APPS.map(([name, descriptiveName, owner, tags], index) => ({
    name,
    descriptiveName,
    owner,
    panels: JSON.stringify({ component: 'Dashboard', options: { apps: [], date_range: 'Last Week', timezone: 'UTC' } }),
    schedule: SCHEDULED.test(descriptiveName) ? JSON.stringify({ every: 'hour', minute: index }) : null,
    createdAt: minute(index + 1),
    tags: tags.map(([context, tagName]) => ({ context, name: tagName }))
  }))
}
