import { contextOf, userPrincipalOf } from '../../../domain/access/principal.ts'
import { InvalidFields, UserNotFound } from '../../../domain/errors.ts'
import { refuseCredentials } from '../../../domain/keys/token/shape.ts'
import { toProfileJson, userFields } from '../../../http/representations/users.ts'
import { problemReplies, reply } from '../../../http/replies.ts'
import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { changePassword, changePasswordSchema } from './password.ts'
import { endSession, endSessionSchema, listSessions, sessionsSchema } from './sessions.ts'

const ProfileBody = {
  type: 'object',
  properties: { name: userFields.name, color_theme: userFields.color_theme }
} as const

const showSchema = {
  operationId: 'showProfile',
  summary: 'Show the signed-in user',
  description: 'Returns the user of the session.',
  tags: ['Signing in'],
  response: { 200: reply('The user.', 'Profile') }
}

const updateSchema = (method: 'PUT' | 'PATCH') => ({
  operationId: method === 'PUT' ? 'updateProfile' : 'patchProfile',
  summary: method === 'PUT' ? 'Update the signed-in user' : 'Update the signed-in user (PATCH)',
  description: 'Changes `name` and `color_theme` if they are sent. PUT and PATCH are equivalent.',
  tags: ['Signing in'],
  body: ProfileBody,
  response: { 200: reply('The updated user.', 'Profile'), ...problemReplies(InvalidFields, UserNotFound) }
})

const config = { scope: 'none', users: 'any' } as const

const routes: RoutesPlugin = async fastify => {
  fastify.get('', { config, schema: showSchema }, showProfile)
  fastify.put('', { config, schema: updateSchema('PUT') }, updateProfile)
  fastify.patch('', { config, schema: updateSchema('PATCH') }, updateProfile)
  fastify.put('/password', { config, schema: changePasswordSchema }, changePassword)
  fastify.get('/sessions', { config, schema: sessionsSchema }, listSessions)
  fastify.delete('/sessions/:id', { config, schema: endSessionSchema }, endSession)
}

export default routes

const showProfile: Handler<typeof showSchema> = async request => toProfileJson(userPrincipalOf(request).user)

const updateProfile: Handler<ReturnType<typeof updateSchema>> = async request => {
  const { name, color_theme: colorTheme } = request.body
  refuseCredentials({ name, color_theme: colorTheme })
  const change = { ...(name === undefined ? {} : { name }), ...(colorTheme === undefined ? {} : { colorTheme }) }
  return toProfileJson(await request.server.users.updateProfile(change, contextOf(request)))
}
