import type { FastifyReply, FastifyRequest } from 'fastify'
import { askerOf, originOf, principalOf } from '../../../domain/access/principal.ts'
import { DEFAULT_LIMIT, linkHeader, linkNext, pageQuery } from '../../../http/pages.ts'
import { refuseTransfer } from '../../../domain/access/transfer.ts'
import { noContent, problemReplies, reply } from '../../../http/replies.ts'
import { toOwner, TransferQuery } from '../../../domain/apps/owner.ts'
import { id } from '../../../domain/json/validation.ts'
import { ceilingOf, refuseBeyond } from '../../../domain/keys/ceiling.ts'
import { UNLIMITED } from '../../../domain/keys/client-key.ts'
import { refuseCredentials } from '../../../domain/keys/token-shape.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import {
  BeyondCeiling,
  DescriptiveNameTaken,
  EmailTaken,
  Forbidden,
  InvalidFields,
  LastAdmin,
  OwnerNotFound,
  OwnsApps,
  TooManyApps,
  TooBusy,
  UserNotFound
} from '../../../domain/errors.ts'
import { passwordFaults } from '../../../domain/users/passwords.ts'
import { existing, toUserJson, userFields } from '../../../domain/users/representation.ts'

/**
 * Administrators make client keys, and another password or address opens an account that was somebody's: a key that is
 * held to anything gives neither. Throws BeyondCeiling.
 */
const refuseLesserKey = (request: FastifyRequest): void => {
  const principal = principalOf(request)
  if (principal.kind === 'client_key') refuseBeyond(ceilingOf(principal.token), UNLIMITED)
}

const IdParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { ...id, description: 'The id of the user.', examples: [1] } }
} as const

const PageQuery = { type: 'object', properties: pageQuery('users') } as const

const NewUserBody = {
  type: 'object',
  required: ['name', 'email'],
  properties: {
    ...userFields,
    password: { ...userFields.password, description: 'Without one, the user can not sign in until one is set.' }
  }
} as const

const ChangeBody = { type: 'object', properties: userFields } as const

const routes: RoutesPlugin = async fastify => {
  const {
    stores: { users },
    passwords
  } = fastify

  const hashOf = async (
    password: string | undefined,
    about: { name: string; email: string },
    request: FastifyRequest,
    reply: FastifyReply
  ): Promise<string | undefined> => {
    if (password === undefined) return undefined
    const faults = await passwordFaults(password, about)
    if (faults.length > 0) throw new InvalidFields(faults)
    const hash = await passwords.hash(password)
    // Many may wait to be hashed; who asked may have lost the right to, meanwhile.
    await fastify.admitOnceMore(request, reply)
    return hash
  }

  fastify.get(
    '',
    {
      config: { scope: 'users:read', users: 'admin' },
      schema: {
        operationId: 'listUsers',
        summary: 'List users',
        description: 'By page, ordered by id; the `Link` header leads to the next one.',
        tags: ['Users'],
        querystring: PageQuery,
        response: {
          200: {
            description: 'The users of a page.',
            headers: linkHeader('</users?after=100>; rel="next"'),
            content: { 'application/json': { schema: { type: 'array', items: { $ref: 'User#' } } } }
          },
          ...problemReplies(InvalidFields)
        }
      }
    },
    async ({ query: { limit = DEFAULT_LIMIT, after = 0 } }, response) => {
      const { users: page, more } = await users.page(limit, after)
      if (more) linkNext(response, page.at(-1)?.id)
      return page.map(toUserJson)
    }
  )

  fastify.post(
    '',
    {
      config: { scope: 'users:write', users: 'admin' },
      schema: {
        operationId: 'createUser',
        summary: 'Create a user',
        description: 'Makes a user, also where nobody can sign up.',
        tags: ['Users'],
        body: NewUserBody,
        response: {
          201: reply('The new user.', 'User', {
            Location: { type: 'string', description: 'The path of the new user.', examples: ['/users/5'] }
          }),
          ...problemReplies(BeyondCeiling, EmailTaken, InvalidFields, TooBusy)
        }
      }
    },
    async (request, response) => {
      const { name, role = 'member', password, color_theme: colorTheme, account_locked: accountLocked } = request.body
      const email = request.body.email.toLowerCase()
      refuseCredentials({ name, email, color_theme: colorTheme })
      const passwordHash = (await hashOf(password, { name, email }, request, response)) ?? null
      if (role === 'admin') refuseLesserKey(request)
      const user = await users.insert(
        {
          name,
          email,
          role,
          passwordHash,
          createdAt: new Date().toISOString(),
          ...(colorTheme === undefined ? {} : { colorTheme }),
          ...(accountLocked === undefined ? {} : { accountLocked })
        },
        originOf(request)
      )
      return await response.code(201).header('location', `/users/${user.id}`).send(toUserJson(user))
    }
  )

  fastify.get(
    '/:id',
    {
      config: { scope: 'users:read', users: 'admin' },
      schema: {
        operationId: 'showUser',
        summary: 'Show a user',
        description: 'The user of this id.',
        tags: ['Users'],
        params: IdParams,
        response: { 200: reply('The user.', 'User'), ...problemReplies(UserNotFound, InvalidFields) }
      }
    },
    async ({ params: { id } }) => {
      const user = await users.find(id)
      if (user === null) throw new UserNotFound()
      return toUserJson(user)
    }
  )

  for (const method of ['PUT', 'PATCH'] as const) {
    fastify.route({
      method,
      url: '/:id',
      config: { scope: 'users:write', users: 'admin' },
      schema: {
        operationId: method === 'PUT' ? 'updateUser' : 'patchUser',
        summary: method === 'PUT' ? 'Update a user' : 'Update a user (PATCH)',
        description: `Changes the fields that are sent; PUT and PATCH do the same. A new password, or a lock, ends the sessions of the user. Passwords of others are set
by client keys only; to set one or an e-mail address, and to make or change an administrator, a key must be without limits.`,
        tags: ['Users'],
        params: IdParams,
        body: ChangeBody,
        response: {
          200: reply('The user as it is now.', 'User'),
          ...problemReplies(UserNotFound, BeyondCeiling, Forbidden, EmailTaken, InvalidFields, TooBusy)
        }
      },
      handler: async (request, response) => {
        const { name, email, role, password, color_theme: colorTheme, account_locked: accountLocked } = request.body
        const before = await users.find(request.params.id)
        if (before === null) throw new UserNotFound()
        if (before.role === 'admin' || role === 'admin' || password !== undefined || email !== undefined) {
          refuseLesserKey(request)
        }
        if (password !== undefined && principalOf(request).kind === 'user') throw new Forbidden()
        refuseCredentials({ name, email, color_theme: colorTheme })
        const passwordHash = await hashOf(
          password,
          { name: name ?? before.name, email: email ?? before.email },
          request,
          response
        )
        if (passwordHash !== undefined) refuseLesserKey(request)
        const change = {
          ...(name === undefined ? {} : { name }),
          ...(email === undefined ? {} : { email: email.toLowerCase() }),
          ...(role === undefined ? {} : { role }),
          ...(colorTheme === undefined ? {} : { colorTheme }),
          ...(accountLocked === undefined ? {} : { accountLocked }),
          ...(passwordHash === undefined ? {} : { passwordHash })
        }
        const user = await users.update(request.params.id, change, new Date(), originOf(request))
        return toUserJson(existing(user))
      }
    })
  }

  fastify.delete(
    '/:id',
    {
      config: { scope: 'users:write', users: 'admin' },
      schema: {
        operationId: 'deleteUser',
        summary: 'Delete a user',
        description:
          'With the sessions, memberships and grants of the user. Whoever owns apps is deleted only where `transfer_to` names another owner for them.',
        tags: ['Users'],
        params: IdParams,
        querystring: TransferQuery,
        response: {
          204: noContent('The user is deleted.'),
          ...problemReplies(
            UserNotFound,
            BeyondCeiling,
            Forbidden,
            OwnsApps,
            TooManyApps,
            LastAdmin,
            DescriptiveNameTaken,
            OwnerNotFound,
            InvalidFields
          )
        }
      }
    },
    async (request, response) => {
      const {
        params: { id },
        query: { transfer_to: to }
      } = request
      if ((await users.find(id))?.role === 'admin') refuseLesserKey(request)
      if (to !== undefined) await refuseTransfer(request, toOwner(to), fastify.stores.organizations)
      if (!(await users.remove(id, to === undefined ? null : toOwner(to), new Date(), originOf(request)))) {
        throw new UserNotFound()
      }
      return await response.code(204).send(null)
    }
  )

  fastify.get(
    '/:id/permissions',
    {
      config: { scope: 'users:read', users: 'any' },
      schema: {
        operationId: 'listUserPermissions',
        summary: 'List what a user was granted',
        description: 'The permits on each app. A user may ask for their own, an administrator for those of anybody.',
        tags: ['Permissions'],
        params: IdParams,
        response: {
          200: { description: 'The permits, an entry an app.', type: 'array', items: { $ref: 'UserPermission#' } },
          ...problemReplies(Forbidden, UserNotFound, InvalidFields)
        }
      }
    },
    async request => {
      const { id } = request.params
      const principal = principalOf(request)
      if (principal.kind === 'user' && askerOf(request).userId !== id && principal.user.role !== 'admin') {
        throw new Forbidden()
      }
      if ((await users.find(id)) === null) throw new UserNotFound()
      return (await users.grants(id)).map(({ appId, appName, permits }) => ({
        app_id: appId,
        app_name: appName,
        permits
      }))
    }
  )
}

export default routes
