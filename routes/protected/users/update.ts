import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  EmailTaken,
  Forbidden,
  InvalidFields,
  TooBusy,
  UserNotFound
} from '../../../domain/errors.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { toUserJson, userFields } from '../../../http/representations/users.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './fields.ts'
import { hashPassword } from './password-hash.ts'

const ChangeBody = { type: 'object', properties: userFields } as const

export const updateSchema = (method: 'PUT' | 'PATCH') => ({
  operationId: method === 'PUT' ? 'updateUser' : 'patchUser',
  summary: method === 'PUT' ? 'Update a user' : 'Update a user (PATCH)',
  description: `Changes the fields that are sent; PUT and PATCH do the same. A new password, or a lock, ends the
sessions of the user. Passwords of others are set
by client keys only; to set one or an e-mail address, and to make or change an administrator, a key must be without
limits.`,
  tags: ['Users'],
  params: IdParams,
  body: ChangeBody,
  response: {
    200: reply('The user as it is now.', 'User'),
    ...problemReplies(UserNotFound, BeyondPermissionBoundary, Forbidden, EmailTaken, InvalidFields, TooBusy)
  }
})

export const updateUser: Handler<ReturnType<typeof updateSchema>> = async (request, response) => {
  const {
    server: { users },
    params: { id },
    body: { name, email, role, password, color_theme: colorTheme, account_locked: accountLocked }
  } = request
  const intended = { role, email, setsPassword: password !== undefined }
  const before = await users.findToChange(id, intended, contextOf(request))
  refuseCredentials({ name, email, color_theme: colorTheme })
  const about = { name: name ?? before.name, email: email ?? before.email }
  const passwordHash = password === undefined ? undefined : await hashPassword(password, about, request, response)
  const change = {
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email: email.toLowerCase() }),
    ...(role === undefined ? {} : { role }),
    ...(colorTheme === undefined ? {} : { colorTheme }),
    ...(accountLocked === undefined ? {} : { accountLocked }),
    ...(passwordHash === undefined ? {} : { passwordHash })
  }
  return toUserJson(await users.update(id, change, contextOf(request)))
}
