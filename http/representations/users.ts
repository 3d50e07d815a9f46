import type { Session } from '../../domain/users/session.ts'
import type { User } from '../../domain/users/user.ts'
import { PRINTABLE } from '../../domain/json/printable.ts'

export const userFields = {
  name: {
    type: 'string',
    pattern: PRINTABLE,
    minLength: 1,
    maxLength: 100,
    description: 'The name of the user.',
    examples: ['Ada Moreno']
  },
  email: {
    type: 'string',
    format: 'email',
    maxLength: 254,
    description: "The user's e-mail address. It is not case-sensitive.",
    examples: ['ada@example.com']
  },
  password: {
    type: 'string',
    maxLength: 1000,
    // There is no example, because sending it unchanged would create a user with a publicly known password.
    description: 'The password, 12 to 128 characters long. The most common passwords are refused.'
  },
  role: {
    type: 'string',
    enum: ['member', 'admin'],
    description:
      "The user's role. An `admin` can manage users and client keys. The role gives no access to the apps of other " +
      'users.',
    examples: ['member']
  },
  color_theme: {
    type: ['string', 'null'],
    pattern: PRINTABLE,
    maxLength: 50,
    description: 'The color theme that the user prefers.',
    examples: ['dark']
  },
  account_locked: {
    type: 'boolean',
    description: 'Whether the account is locked. A locked user cannot sign in, and has no active sessions.',
    examples: [false]
  }
} as const

const { name, email, role, color_theme: colorTheme, account_locked: accountLocked } = userFields

export const UserJson = {
  $id: 'User',
  type: 'object',
  required: ['id', 'name', 'email', 'role', 'color_theme', 'created_at', 'account_locked'],
  properties: {
    id: { type: 'integer', examples: [1] },
    name,
    email,
    role,
    color_theme: colorTheme,
    created_at: { type: 'string', format: 'date-time', examples: ['2026-01-05T09:00:00.000Z'] },
    account_locked: accountLocked
  }
} as const

export const SignedInJson = {
  $id: 'SignedIn',
  type: 'object',
  required: ['data'],
  properties: { data: { $ref: 'User#' } }
} as const

/** The format that Trivial's own clients expect. */
export const ProfileJson = {
  $id: 'Profile',
  type: 'object',
  required: ['user'],
  properties: { user: { $ref: 'User#' } }
} as const

export const SessionJson = {
  $id: 'Session',
  type: 'object',
  required: ['id', 'created_at', 'expires_at', 'address', 'agent', 'current'],
  properties: {
    id: { type: 'string', examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'] },
    created_at: { type: 'string', format: 'date-time', examples: ['2026-01-05T09:00:00.000Z'] },
    expires_at: { type: 'string', format: 'date-time', examples: ['2026-01-19T09:00:00.000Z'] },
    address: { type: 'string', description: 'The IP address that the user signed in from.', examples: ['10.0.0.5'] },
    agent: {
      type: ['string', 'null'],
      description: 'The User-Agent that the user signed in with, or null if there was none.',
      examples: ['Mozilla/5.0']
    },
    current: { type: 'boolean', description: 'Whether the request was made with this session.', examples: [true] }
  }
} as const

export const toUserJson = (user: User) => ({
  id: user.id,
  name: user.name,
  email: user.email,
  role: user.role,
  color_theme: user.colorTheme,
  created_at: user.createdAt.toISOString(),
  account_locked: user.accountLocked
})

export const toProfileJson = (user: User) => ({ user: toUserJson(user) })

export const toSessionJson = (session: Session, current: Session) => ({
  id: session.id,
  created_at: session.createdAt.toISOString(),
  expires_at: session.expiresAt.toISOString(),
  address: session.address,
  agent: session.agent,
  current: session.id === current.id
})
