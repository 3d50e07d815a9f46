import { originOf, userPrincipalOf } from '../../../domain/access/principal.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { refuseCredentials } from '../../../domain/keys/token-shape.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import { InvalidFields, InvalidLogin, SessionNotFound, TooBusy, UserNotFound } from '../../../domain/errors.ts'
import { SignInLimited } from '../../../http/errors.ts'
import { passwordFaults } from '../../../domain/users/passwords.ts'
import { existing, toSessionJson, toUserJson, userFields } from '../../../domain/users/representation.ts'
import { checkPassword } from '../../../domain/users/sign-in.ts'

const ProfileBody = {
  type: 'object',
  properties: { name: userFields.name, color_theme: userFields.color_theme }
} as const

const PasswordBody = {
  type: 'object',
  required: ['current_password', 'password'],
  properties: {
    current_password: { ...userFields.password, description: 'The password as it is.' },
    password: userFields.password
  }
} as const

const SessionParams = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string', description: 'The id of the session.', examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'] }
  }
} as const

const routes: RoutesPlugin = async fastify => {
  const {
    stores: { users },
    passwords
  } = fastify
  const config = { scope: 'none', users: 'any' } as const

  fastify.get(
    '',
    {
      config,
      schema: {
        operationId: 'showProfile',
        summary: 'Show the user who is signed in',
        description: 'Who the session belongs to.',
        tags: ['Signing in'],
        response: { 200: reply('The user.', 'User') }
      }
    },
    async request => toUserJson(userPrincipalOf(request).user)
  )

  fastify.put(
    '',
    {
      config,
      schema: {
        operationId: 'updateProfile',
        summary: 'Change the user who is signed in',
        description: 'Changes `name` and `color_theme`, whichever is sent. Other fields are ignored.',
        tags: ['Signing in'],
        body: ProfileBody,
        response: { 200: reply('The user as it is now.', 'User'), ...problemReplies(InvalidFields, UserNotFound) }
      }
    },
    async request => {
      const { name, color_theme: colorTheme } = request.body
      refuseCredentials({ name, color_theme: colorTheme })
      const change = { ...(name === undefined ? {} : { name }), ...(colorTheme === undefined ? {} : { colorTheme }) }
      const user = await users.update(userPrincipalOf(request).user.id, change, new Date(), originOf(request))
      return toUserJson(existing(user))
    }
  )

  fastify.put(
    '/password',
    {
      config,
      schema: {
        operationId: 'changePassword',
        summary: 'Change the password',
        description: 'Ends every other session of the user.',
        tags: ['Signing in'],
        body: PasswordBody,
        response: {
          204: noContent('The password is changed.'),
          ...problemReplies(InvalidLogin, InvalidFields, SignInLimited, TooBusy)
        }
      }
    },
    async (request, response) => {
      const { user, session } = userPrincipalOf(request)
      const { current_password: current, password } = request.body
      await fastify.limitUser(response, user.id)
      const { passwordHash: checked } = await checkPassword(passwords, await users.findAccount(user.email), current)
      const faults = await passwordFaults(password, user)
      if (faults.length > 0) throw new InvalidFields(faults)
      await users.changePassword(session, checked, await passwords.hash(password), new Date(), originOf(request))
      return await response.code(204).send(null)
    }
  )

  fastify.get(
    '/sessions',
    {
      config,
      schema: {
        operationId: 'listSessions',
        summary: 'List your sessions',
        description: 'Where you are signed in; the newest first.',
        tags: ['Signing in'],
        response: { 200: { description: 'The sessions.', type: 'array', items: { $ref: 'Session#' } } }
      }
    },
    async request => {
      const { user, session } = userPrincipalOf(request)
      return (await users.sessions(user.id, new Date())).map(one => toSessionJson(one, session))
    }
  )

  fastify.delete(
    '/sessions/:id',
    {
      config,
      schema: {
        operationId: 'endSession',
        summary: 'End a session of yours',
        description: 'From its next request on it is refused.',
        tags: ['Signing in'],
        params: SessionParams,
        response: { 204: noContent('The session is over.'), ...problemReplies(SessionNotFound) }
      }
    },
    async (request, response) => {
      if (
        !(await users.endSession(userPrincipalOf(request).user.id, request.params.id, new Date(), originOf(request)))
      ) {
        throw new SessionNotFound()
      }
      return await response.code(204).send(null)
    }
  )
}

export default routes
