import type { XStatic } from 'typebox/schema'
import { DomainError } from '../domain/domain-error.ts'
import type { CodesOf, DomainErrorClass } from '../domain/domain-error.ts'
import type * as domainErrors from '../domain/errors.ts'
import type * as httpErrors from './errors.ts'

/** The media type of a problem document (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** The codes of all failures that have a reply of their own: those of the domain, and those of HTTP. */
export type ErrorCode = CodesOf<typeof domainErrors> | CodesOf<typeof httpErrors>

/** A failure that has a reply of its own. */
export type ProblemError = DomainError<ErrorCode>
export type ProblemClass = DomainErrorClass<ErrorCode>

interface ProblemKind {
  readonly status: number
  readonly title: string
  /** Members that only this problem has. */
  readonly members?: Pick<Problem, 'success'>
}

/** What each failure with a reply of its own is over HTTP, by its code. */
const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  CREDENTIAL_REQUIRED: { status: 401, title: 'A credential is required' },
  INVALID_TOKEN: { status: 401, title: 'The credential is refused' },
  BROWSER_NOT_ALLOWED: { status: 403, title: 'Client keys are not for browser pages' },
  INSUFFICIENT_SCOPE: { status: 403, title: 'The key lacks a scope' },
  ADDRESS_NOT_ALLOWED: { status: 403, title: 'The key is not for use from this address' },
  RATE_LIMITED: { status: 429, title: 'Too many requests with this key' },
  LIMIT_UNDECIDED: { status: 503, title: 'The rate limit can not be told now' },
  CLIENT_KEY_NOT_FOUND: { status: 404, title: 'There is no such client key' },
  CLIENT_KEY_NAME_TAKEN: { status: 409, title: 'The name is taken' },
  CLIENT_KEY_REVOKED: { status: 409, title: 'The client key is revoked' },
  ENVIRONMENT_KEY_FIXED: { status: 409, title: 'Environment keys can not be changed' },
  TOO_MANY_TOKENS: { status: 409, title: 'The client key has too many tokens' },
  BEYOND_CEILING: { status: 403, title: 'This goes beyond your own key' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The Idempotency-Key was used for something else' },
  SECRET_NOT_SHARED: { status: 503, title: 'Another node would refuse the token' },
  INVALID_LOGIN: { status: 401, title: 'The sign-in is refused' },
  ACCOUNT_LOCKED: { status: 403, title: 'The account is locked' },
  SIGN_IN_LIMITED: { status: 429, title: 'Too many attempts' },
  TOO_BUSY: { status: 503, title: 'Too many passwords are being checked' },
  SIGN_UP_CLOSED: { status: 403, title: 'Nobody can sign up here' },
  USER_REQUIRED: { status: 403, title: 'This is for users' },
  CLIENT_KEY_REQUIRED: { status: 403, title: 'This is for client keys' },
  ADMIN_REQUIRED: { status: 403, title: 'This is for administrators' },
  FORBIDDEN: { status: 403, title: 'You may not do this' },
  USER_NOT_FOUND: { status: 404, title: 'There is no such user' },
  NOT_SIGNED_IN: { status: 404, title: 'Nobody is signed in', members: { success: false } },
  SESSION_NOT_FOUND: { status: 404, title: 'There is no such session' },
  ORGANIZATION_NOT_FOUND: { status: 404, title: 'There is no such organization' },
  EMAIL_TAKEN: { status: 409, title: 'The e-mail address is taken' },
  LAST_ADMIN: { status: 409, title: 'An organization keeps an administrator' },
  OWNS_APPS: { status: 409, title: 'It owns apps' },
  TOO_MANY_TAGS: { status: 409, title: 'The app has too many tags' },
  TOO_MANY_APPS: { status: 409, title: 'It owns too many apps' },
  TRANSFER_NOT_ALLOWED: { status: 403, title: 'Sessions do not transfer the apps of a user' },
  BAD_URL: { status: 400, title: 'The URL is malformed' },
  BAD_REQUEST: { status: 400, title: 'The request is malformed' },
  EXPECTATION_FAILED: { status: 417, title: 'The expectation can not be met' },
  ADDRESS_UNKNOWN: { status: 400, title: 'The address of the client is not known' },
  MALFORMED_JSON: { status: 400, title: 'The body is not JSON' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The media type is not supported' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such route' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not allowed here' },
  INVALID_FIELDS: { status: 422, title: 'Some fields are not valid' },
  APP_NOT_FOUND: { status: 404, title: 'There is no such app' },
  TAG_NOT_FOUND: { status: 404, title: 'There is no such tag' },
  DESCRIPTIVE_NAME_TAKEN: { status: 409, title: 'The descriptive name is taken' },
  NO_PORT_LEFT: { status: 409, title: 'There is no port left' },
  OWNER_NOT_FOUND: { status: 422, title: 'There is no such owner' },
  INTERNAL_ERROR: { status: 500, title: 'Something went wrong here' },
  RECEIPT_NOT_FOUND: { status: 404, title: 'There is no such receipt' },
  // Nobody is there to get it. The status is that of nginx.
  REQUEST_CANCELLED: { status: 499, title: 'The client is gone' },
  OUTCOME_UNKNOWN: { status: 503, title: 'Whether the change was made is not known' },
  LEASE_LOST: { status: 503, title: 'Which keys are revoked can not be told now' },
  NOT_READY: { status: 503, title: 'The service is not ready' },
  SERVICE_UNAVAILABLE: { status: 503, title: 'The service is not available now' }
}

/** The codes that a client may get. */
export const CODES = (Object.keys(PROBLEMS) as ErrorCode[]).filter(code => code !== 'REQUEST_CANCELLED')

/** The parts of a request that have fields. */
const PLACES = ['body', 'query', 'path'] as const

/** The id of the request in examples. */
export const EXAMPLE_REQUEST_ID = 'mW9xTq3L-2s'

/** A problem document (RFC 9457), with members beside the standard's: `code`, `request_id`, `errors` and `fields`. */
export const Problem = {
  $id: 'Problem',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id', 'errors'],
  properties: {
    type: {
      type: 'string',
      format: 'uri',
      description: 'Names the kind of problem; it is not meant to be fetched.',
      examples: ['tag:trivialapps.io,2026:problem/app-not-found']
    },
    title: { type: 'string', description: 'The kind of problem, for people.', examples: ['There is no such app'] },
    status: { type: 'integer', description: 'The status code of the reply.', examples: [404] },
    detail: {
      type: 'string',
      description: 'What happened and what to do.',
      examples: ['No app has this name or id, or it was deleted.']
    },
    code: {
      type: 'string',
      enum: CODES,
      description: 'The kind of problem, for programs. Codes never change their meaning; new ones may be added.',
      examples: ['APP_NOT_FOUND']
    },
    request_id: {
      type: 'string',
      description:
        'The id of the request, by which the log and the audit trail name it; the same as in `x-request-id`.',
      examples: [EXAMPLE_REQUEST_ID]
    },
    errors: {
      type: 'array',
      items: { type: 'string' },
      description: 'Each thing that is wrong, in a sentence of its own.',
      examples: [['No app has this name or id, or it was deleted.']]
    },
    fields: {
      type: 'array',
      items: {
        type: 'object',
        required: ['in', 'pointer', 'detail'],
        properties: {
          in: { type: 'string', enum: PLACES, description: 'The part of the request that has the field.' },
          pointer: {
            type: 'string',
            description: 'The JSON pointer of the field (RFC 6901) in the body; `/` and the name of a parameter.'
          },
          detail: { type: 'string', description: 'What is wrong with the field; one of `errors`.' }
        }
      },
      description: 'Which fields are wrong, if the problem is about fields.',
      examples: [[{ in: 'body', pointer: '/scopes/0', detail: 'scopes.0 must be apps:read' }]]
    },
    success: {
      type: 'boolean',
      enum: [false],
      description: "Only in the reply to a sign-out without a session, where Trivial's own clients expect it."
    }
  }
} as const

// The list of the codes has no type of its own that the schema could have.
export type Problem = Omit<XStatic<typeof Problem>, 'code'> & { code: ErrorCode }
export type ProblemField = NonNullable<Problem['fields']>[number]

/** Whether a failure has a reply of its own. */
export const isProblem = (error: unknown): error is ProblemError =>
  error instanceof DomainError && error.code in PROBLEMS

/** What a document says of the request that failed. */
export interface ProblemContext {
  readonly requestId: string
  readonly fields?: readonly ProblemField[]
}

/** The document that a client gets for a failure. */
export const toDocument = (
  { code, message, errors = [message] }: ProblemError,
  { requestId, fields = [] }: ProblemContext
): Problem => {
  const { status, title, members } = PROBLEMS[code]
  return {
    type: `tag:trivialapps.io,2026:problem/${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: message,
    code,
    request_id: requestId,
    errors: [...errors],
    ...(fields.length === 0 ? {} : { fields: [...fields] }),
    ...members
  }
}
