import type { FastifyRequest } from 'fastify'
import { reply, problemReplies } from '../../../http/replies.ts'
import { plainAddress } from '../../../net/addresses.ts'
import { credentialFaults } from '../../../domain/keys/token-shape.ts'
import type { RoutesPlugin } from '../../../plugins/app/validation.ts'
import {
  AccountLocked,
  EmailTaken,
  InvalidFields,
  InvalidLogin,
  ServiceUnavailable,
  TooBusy
} from '../../../domain/errors.ts'
import { BodyTooLarge, MalformedJson, SignInLimited, SignUpClosed, UnsupportedMediaType } from '../../../http/errors.ts'
import { sessionHeaderDocs } from './headers.ts'
import { passwordFaults } from '../../../domain/users/passwords.ts'
import { toUserJson, userFields } from '../../../domain/users/representation.ts'
import { checkPassword, startSession } from '../../../domain/users/sign-in.ts'
import type { Visitor } from '../../../domain/users/store.ts'

const SignInBody = {
  type: 'object',
  required: ['email', 'password'],
  properties: {
    email: { type: 'string', maxLength: 254, examples: ['ada@example.com'] },
    password: userFields.password
  }
} as const

const SignUpBody = {
  type: 'object',
  required: ['name', 'email', 'password'],
  properties: { name: userFields.name, email: userFields.email, password: userFields.password }
} as const

const problems = [
  MalformedJson,
  BodyTooLarge,
  UnsupportedMediaType,
  InvalidFields,
  SignInLimited,
  TooBusy,
  ServiceUnavailable
]

const routes: RoutesPlugin = async fastify => {
  const {
    stores: { users },
    passwords,
    config
  } = fastify

  fastify.post(
    '/sign_in',
    {
      schema: {
        operationId: 'signIn',
        summary: 'Sign in',
        description: `Starts a session of 14 days. Its headers come with the reply: send \`authorization\` along with each request from then on, or
\`access-token\`, \`client\` and \`uid\`. They are shown this once.`,
        tags: ['Signing in'],
        security: [],
        body: SignInBody,
        response: {
          200: reply('The user, and in the headers the session.', 'SignedIn', sessionHeaderDocs),
          ...problemReplies(InvalidLogin, AccountLocked, ...problems)
        }
      }
    },
    async (request, response) => {
      const { password } = request.body
      const email = request.body.email.trim().toLowerCase()
      await fastify.limitVisitor(request, response)
      const found = await users.findAccount(email)
      await fastify.limitAccount(request, response, email, found?.user ?? null)
      const account = await checkPassword(passwords, found, password)
      response.headers({ ...(await startSession(users, account, visitorOf(request))), 'cache-control': 'no-store' })
      return { data: toUserJson(account.user) }
    }
  )

  fastify.post(
    '',
    {
      schema: {
        operationId: 'signUp',
        summary: 'Sign up',
        description: 'Makes a user and signs in. Where the service is configured so, nobody can.',
        tags: ['Signing in'],
        security: [],
        body: SignUpBody,
        response: {
          201: reply('The user, and in the headers a session.', 'SignedIn', sessionHeaderDocs),
          ...problemReplies(SignUpClosed, EmailTaken, ...problems)
        }
      }
    },
    async (request, response) => {
      if (config.SIGN_UP === 'closed') throw new SignUpClosed()
      await fastify.limitVisitor(request, response)
      const { name, password } = request.body
      const email = request.body.email.toLowerCase()
      const faults = [...credentialFaults({ name, email }), ...(await passwordFaults(password, { name, email }))]
      if (faults.length > 0) throw new InvalidFields(faults)
      const visitor = visitorOf(request)
      const passwordHash = await passwords.hash(password)
      const user = await users.insert(
        { name, email, role: 'member', createdAt: new Date().toISOString(), passwordHash },
        visitor
      )
      response
        .code(201)
        .headers({ ...(await startSession(users, { user, passwordHash }, visitor)), 'cache-control': 'no-store' })
      return { data: toUserJson(user) }
    }
  )
}

export default routes

const visitorOf = (request: FastifyRequest): Visitor => ({
  address: plainAddress(request.ip),
  agent: request.headers['user-agent'],
  requestId: request.id
})
