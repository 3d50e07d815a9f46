import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  AccountLocked,
  EmailTaken,
  InvalidFields,
  InvalidLogin,
  OutcomeUnknown,
  ServiceUnavailable,
  TooBusy
} from '../../../domain/errors.ts'
import { issuesOf } from '../../../domain/field-issue.ts'
import { credentialIssues } from '../../../domain/keys/token/shape.ts'
import { passwordIssues } from '../../../domain/users/passwords.ts'
import { toUserJson, userFields } from '../../../http/representations/users.ts'
import { checkPassword } from '../../../domain/users/sign-in.ts'
import type { SignedIn, SignInSource } from '../../../domain/users/sign-in.ts'
import {
  AddressUnknown,
  BodyTooLarge,
  LimitUndecided,
  MalformedJson,
  SignInLimited,
  SignUpClosed,
  UnsupportedMediaType
} from '../../../http/errors.ts'
import { reply, problemReplies } from '../../../http/replies.ts'
import { plainAddress } from '../../../net/addresses.ts'
import type { Handler, RoutesPlugin } from '../../../plugins/app/validation.ts'
import { sessionHeaders } from '../../../http/session-headers.ts'

const header = (description: string, example: string) => ({ type: 'string', description, examples: [example] }) as const

/** The documentation of the headers that start a session. */
const sessionHeaderDocs = {
  'access-token': header("The session's token. It is secret, and never shown again.", '<43 letters, digits, - and _>'),
  'token-type': header('Always `Bearer`.', 'Bearer'),
  client: header('The id of the client.', '<22 letters, digits, - and _>'),
  expiry: header('When the session ends, as a Unix timestamp in seconds.', '1768815600'),
  uid: header('The e-mail address of the user.', 'ada@example.com'),
  authorization: header(
    "All of the session's headers in one value. Send it unchanged with each request.",
    'Bearer <base64>'
  )
} as const

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
  properties: {
    name: userFields.name,
    email: userFields.email,
    password: userFields.password,
    role: {
      ...userFields.role,
      enum: ['member'],
      description: "The role that Trivial's clients send. You cannot sign up as `admin`."
    }
  }
} as const

const problems = [
  MalformedJson,
  BodyTooLarge,
  UnsupportedMediaType,
  AddressUnknown,
  InvalidFields,
  SignInLimited,
  TooBusy,
  LimitUndecided,
  ServiceUnavailable,
  OutcomeUnknown
]

const signInSchema = {
  operationId: 'signIn',
  summary: 'Sign in',
  description:
    'Starts a session that lasts 14 days. The headers of the reply contain the session, which cannot be shown ' +
    'again. Send `authorization` with each subsequent request, or `access-token`, `client` and `uid` instead.',
  tags: ['Signing in'],
  security: [],
  body: SignInBody,
  response: {
    200: reply('The user. The headers contain the session.', 'SignedIn', sessionHeaderDocs),
    ...problemReplies(InvalidLogin, AccountLocked, ...problems)
  }
}

const signUpSchema = {
  operationId: 'signUp',
  summary: 'Sign up',
  description: 'Creates a user and starts a session. The operator of the service can disable sign-up.',
  tags: ['Signing in'],
  security: [],
  body: SignUpBody,
  response: {
    201: reply('The new user. The headers contain the session.', 'SignedIn', sessionHeaderDocs),
    ...problemReplies(SignUpClosed, EmailTaken, ...problems)
  }
}

const routes: RoutesPlugin = async fastify => {
  fastify.post('/sign_in', { schema: signInSchema }, signIn)
  fastify.post('', { schema: signUpSchema }, signUp)
}

export default routes

const signIn: Handler<typeof signInSchema> = async (request, response) => {
  const { users, passwords, limitAddress, limitAccount } = request.server
  const email = request.body.email.trim().toLowerCase()
  await limitAddress(request, response)
  const found = await users.findAccount(email)
  await limitAccount(request, response, { email, user: found?.user ?? null })
  const account = await checkPassword(passwords, found, request.body.password)
  return toSignedInJson(await users.signIn(account, sourceOf(request)), response)
}

const signUp: Handler<typeof signUpSchema> = async (request, response) => {
  const { users, passwords, limitAddress, config } = request.server
  if (config.SIGN_UP === 'closed') throw new SignUpClosed()
  await limitAddress(request, response)
  const { name, password } = request.body
  const email = request.body.email.toLowerCase()
  const issues = [
    ...credentialIssues({ name, email }),
    ...issuesOf('password', await passwordIssues(password, { name, email }))
  ]
  if (issues.length > 0) throw new InvalidFields({ issues })
  const passwordHash = await passwords.hash(password)
  const signedIn = await users.signUp({ name, email, passwordHash }, sourceOf(request))
  response.code(201)
  return toSignedInJson(signedIn, response)
}

/** Adds the headers for a new session to a response, and returns the body. */
const toSignedInJson = ({ user, session, accessToken }: SignedIn, response: Pick<FastifyReply, 'headers'>) => {
  response.headers({ ...sessionHeaders(accessToken, session, user.email), 'cache-control': 'no-store' })
  return { data: toUserJson(user) }
}

const sourceOf = (request: Pick<FastifyRequest, 'ip' | 'id' | 'headers'>): SignInSource => ({
  address: plainAddress(request.ip),
  userAgent: request.headers['user-agent'],
  requestId: request.id
})
