import { contextOf } from '../../../domain/access/principal.ts'
import { BeyondPermissionBoundary, EmailTaken, InvalidFields, TooBusy } from '../../../domain/errors.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { toUserJson, userFields } from '../../../http/representations/users.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'
import { hashPassword } from './password-hash.ts'

const NewUserBody = {
  type: 'object',
  required: ['name', 'email'],
  properties: {
    ...userFields,
    password: { ...userFields.password, description: 'Without one, the user can not sign in until one is set.' }
  }
} as const

export const createSchema = {
  operationId: 'createUser',
  summary: 'Create a user',
  description: 'Makes a user, also where nobody can sign up.',
  tags: ['Users'],
  body: NewUserBody,
  response: {
    201: reply('The new user.', 'User', {
      Location: { type: 'string', description: 'The path of the new user.', examples: ['/users/5'] }
    }),
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
  return await response.code(201).header('location', `/users/${user.id}`).send(toUserJson(user))
}
