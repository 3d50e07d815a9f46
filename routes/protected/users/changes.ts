import type { FastifyReply, FastifyRequest } from 'fastify'
import { contextOf } from '../../../domain/access/principal.ts'
import {
  BeyondPermissionBoundary,
  DescriptiveNameTaken,
  EmailTaken,
  Forbidden,
  InvalidFields,
  LastAdmin,
  OwnerNotFound,
  OwnsApps,
  TooBusy,
  TooManyApps,
  TransferNotAllowed,
  UserNotFound
} from '../../../domain/errors.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { issuesOf } from '../../../domain/field-issue.ts'
import { passwordIssues } from '../../../domain/users/passwords.ts'
import { locationHeader, setLocation } from '../../../http/links.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { AppsDisposalQuery, toAppsDisposal } from '../../../http/representations/apps-disposal.ts'
import { toUserJson, userFields } from '../../../http/representations/users.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { IdParams } from './queries.ts'

const NewUserBody = {
  type: 'object',
  required: ['name', 'email'],
  properties: {
    ...userFields,
    password: {
      ...userFields.password,
      description: 'The password, 12 to 128 characters long. Without one, the user cannot sign in.'
    }
  }
} as const

export const createSchema = {
  operationId: 'createUser',
  summary: 'Create a user',
  description: 'Creates a user, even if sign-up is disabled.',
  tags: ['Users'],
  body: NewUserBody,
  response: {
    201: reply('The new user.', 'User', locationHeader('the new user', '/users/5')),
    ...problemReplies(BeyondPermissionBoundary, EmailTaken, InvalidFields, TooBusy)
  }
}

export const createUser: Handler<typeof createSchema> = async (request, response) => {
  const { name, role = 'member', password, color_theme: colorTheme, account_locked: accountLocked } = request.body
  const email = request.body.email.toLowerCase()
  refuseCredentials({ name, email, color_theme: colorTheme })
  const passwordHash = password === undefined ? null : await hashPassword(password, { name, email }, request, response)
  const wanted = {
    name,
    email,
    role,
    passwordHash,
    ...(colorTheme === undefined ? {} : { colorTheme }),
    ...(accountLocked === undefined ? {} : { accountLocked })
  }
  const user = await request.server.users.create(wanted, contextOf(request))
  return await setLocation(response.code(201), `/users/${user.id}`).send(toUserJson(user))
}

const ChangeBody = { type: 'object', properties: userFields } as const

export const updateSchema = (method: 'PUT' | 'PATCH') => ({
  operationId: method === 'PUT' ? 'updateUser' : 'patchUser',
  summary: method === 'PUT' ? 'Update a user' : 'Update a user (PATCH)',
  description:
    'Changes the fields that are sent. PUT and PATCH are equivalent. Setting a password, changing the e-mail ' +
    "address or locking the account ends the user's sessions. Only client keys can set the passwords of other " +
    'users. A client key must be unrestricted to set a password or an e-mail address, to give a user the role ' +
    '`admin`, or to change an administrator.',
  tags: ['Users'],
  params: IdParams,
  body: ChangeBody,
  response: {
    200: reply('The updated user.', 'User'),
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

export const removeSchema = {
  operationId: 'deleteUser',
  summary: 'Delete a user',
  description:
    'Deletes the user and their sessions, memberships and grants. If the user owns apps, the request must specify ' +
    'what happens to them. `apps=delete` deletes the apps permanently. `transfer_to` transfers them to another ' +
    'owner, and can only be sent by client keys. For both options, a client key also needs the scope `apps:write`.',
  tags: ['Users'],
  params: IdParams,
  querystring: AppsDisposalQuery,
  response: {
    204: noContent('The user was deleted.'),
    ...problemReplies(
      UserNotFound,
      BeyondPermissionBoundary,
      TransferNotAllowed,
      OwnsApps,
      TooManyApps,
      LastAdmin,
      DescriptiveNameTaken,
      OwnerNotFound,
      InvalidFields
    )
  }
}

export const removeUser: Handler<typeof removeSchema> = async (request, response) => {
  const { server, params, query } = request
  await server.users.remove(params.id, toAppsDisposal(query), contextOf(request))
  return await response.code(204).send(null)
}

/** Returns the hash of a new password. Throws InvalidFields if the password is too weak. */
const hashPassword = async (
  password: string,
  about: { readonly name: string; readonly email: string },
  request: FastifyRequest,
  reply: FastifyReply
): Promise<string> => {
  const issues = issuesOf('password', await passwordIssues(password, about))
  if (issues.length > 0) throw new InvalidFields({ issues })
  const { passwords, reauthorizeNow } = request.server
  const hash = await passwords.hash(password)
  // The password may have been queued for a while, and the requester may have lost the permission in the meantime.
  await reauthorizeNow(request, reply)
  return hash
}
