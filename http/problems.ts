import type { XStatic } from 'typebox/schema'
import { DomainError } from '../domain/domain-error.ts'
import type { CodesOf, DomainErrorClass } from '../domain/domain-error.ts'
import type * as domainErrors from '../domain/errors.ts'
import type * as httpErrors from './errors.ts'

/** The media type of a problem document (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** The codes of all errors with a specific response. `domain/errors.ts` and `http/errors.ts` define the errors. */
export type ErrorCode = CodesOf<typeof domainErrors> | CodesOf<typeof httpErrors>

/** An error with a specific response. */
export type ProblemError = DomainError<ErrorCode>
export type ProblemClass = DomainErrorClass<ErrorCode>

interface ProblemKind {
  readonly status: number
  readonly title: string
  /** The members that only this problem has. */
  readonly members?: Pick<Problem, 'success' | 'error'>
}

/** The status and title of the response for each error code. */
const PROBLEMS: Readonly<Record<ErrorCode, ProblemKind>> = {
  CREDENTIAL_REQUIRED: { status: 401, title: 'A credential is required' },
  INVALID_TOKEN: { status: 401, title: 'The credential was refused' },
  BROWSER_NOT_ALLOWED: { status: 403, title: 'Client keys cannot be used in web pages' },
  INSUFFICIENT_SCOPE: { status: 403, title: 'The client key lacks a required scope' },
  ADDRESS_NOT_ALLOWED: { status: 403, title: 'The client key cannot be used from this address' },
  RATE_LIMITED: { status: 429, title: 'Too many requests with this client key' },
  LIMIT_UNDECIDED: { status: 503, title: 'The limit cannot be checked at the moment' },
  CLIENT_KEY_NOT_FOUND: { status: 404, title: 'There is no such client key' },
  CLIENT_KEY_NAME_TAKEN: { status: 409, title: 'The name is taken' },
  CLIENT_KEY_REVOKED: { status: 409, title: 'The client key is revoked' },
  ENVIRONMENT_KEY_FIXED: { status: 409, title: 'Environment keys cannot be changed' },
  TOO_MANY_TOKENS: { status: 409, title: 'The client key has too many tokens' },
  BEYOND_CEILING: { status: 403, title: 'The request exceeds your permission boundary' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The Idempotency-Key was used for another request' },
  NODES_OUTDATED: { status: 409, title: 'A node has an earlier version' },
  SECRET_NOT_SHARED: { status: 503, title: 'Another node would refuse the token' },
  SERVICE_NOT_FOUND: { status: 404, title: 'There is no such service' },
  SERVICE_NAME_TAKEN: { status: 409, title: 'The name is taken' },
  SERVICE_IN_USE: { status: 409, title: 'Client keys have scopes of the service' },
  TOO_MANY_SERVICES: { status: 409, title: 'There are too many services' },
  INVALID_LOGIN: { status: 401, title: 'The sign-in was refused' },
  ACCOUNT_LOCKED: { status: 403, title: 'The account is locked' },
  SIGN_IN_LIMITED: { status: 429, title: 'Too many attempts' },
  TOO_BUSY: { status: 503, title: 'Too many passwords are being checked' },
  SIGN_UP_CLOSED: { status: 403, title: 'Sign-up is disabled' },
  USER_REQUIRED: { status: 403, title: 'A user session is required' },
  CLIENT_KEY_REQUIRED: { status: 403, title: 'A client key is required' },
  ADMIN_REQUIRED: { status: 403, title: 'Administrator access is required' },
  FORBIDDEN: { status: 403, title: 'You lack permission for this action' },
  USER_NOT_FOUND: { status: 404, title: 'There is no such user' },
  NOT_SIGNED_IN: { status: 404, title: 'You are not signed in', members: { success: false } },
  SESSION_NOT_FOUND: { status: 404, title: 'There is no such session' },
  ORGANIZATION_NOT_FOUND: { status: 404, title: 'There is no such organization' },
  EMAIL_TAKEN: { status: 409, title: 'The e-mail address is taken' },
  LAST_ADMIN: { status: 409, title: 'An organization must have an administrator' },
  OWNS_APPS: { status: 409, title: 'The owner still has apps' },
  TOO_MANY_TAGS: { status: 409, title: 'The app has too many tags' },
  TOO_MANY_APPS: { status: 409, title: 'The owner has too many apps' },
  TRANSFER_NOT_ALLOWED: { status: 403, title: "A user's apps cannot be transferred with a session" },
  BAD_URL: { status: 400, title: 'The URL is malformed' },
  BAD_REQUEST: { status: 400, title: 'The request is malformed' },
  EXPECTATION_FAILED: { status: 417, title: 'The expectation cannot be met' },
  ADDRESS_UNKNOWN: { status: 400, title: "The client's address is unknown" },
  INVALID_REQUEST: { status: 400, title: 'The form is invalid', members: { error: 'invalid_request' } },
  MALFORMED_JSON: { status: 400, title: 'The body is not valid JSON' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The media type is not supported' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such route' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not allowed' },
  INVALID_FIELDS: { status: 422, title: 'Some fields are invalid' },
  APP_NOT_FOUND: { status: 404, title: 'There is no such app' },
  TAG_NOT_FOUND: { status: 404, title: 'There is no such tag' },
  DESCRIPTIVE_NAME_TAKEN: { status: 409, title: 'The descriptive name is taken' },
  NO_PORT_LEFT: { status: 409, title: 'No port is available' },
  OWNER_NOT_FOUND: { status: 422, title: 'There is no such owner' },
  INTERNAL_ERROR: { status: 500, title: 'An unexpected error occurred' },
  RECEIPT_NOT_FOUND: { status: 404, title: 'There is no such receipt' },
  // No client receives this response. nginx logs the same status if a client closes the connection.
  REQUEST_CANCELLED: { status: 499, title: 'The client closed the connection' },
  OUTCOME_UNKNOWN: { status: 503, title: 'The outcome of the change is unknown' },
  LEASE_LOST: { status: 503, title: 'Key revocations cannot be checked at the moment' },
  NOT_READY: { status: 503, title: 'The service is not ready' },
  SERVICE_UNAVAILABLE: { status: 503, title: 'The service is temporarily unavailable' }
}

/** The codes that clients can receive. */
export const CODES = (Object.keys(PROBLEMS) as ErrorCode[]).filter(code => code !== 'REQUEST_CANCELLED')

/** The parts of a request that contain fields. */
const PLACES = ['body', 'query', 'path'] as const

/** The request id in examples. */
export const EXAMPLE_REQUEST_ID = 'mW9xTq3L-2s'

/** A problem document (RFC 9457) with the additional members `code`, `request_id`, `errors` and `fields`. */
export const Problem = {
  $id: 'Problem',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id', 'errors'],
  properties: {
    type: {
      type: 'string',
      format: 'uri',
      description: 'Identifies the type of problem. It is not the address of a document.',
      examples: ['tag:trivialapps.io,2026:problem/app-not-found']
    },
    title: {
      type: 'string',
      description: 'A human-readable summary of the type of problem.',
      examples: ['There is no such app']
    },
    status: { type: 'integer', description: 'The HTTP status code of the reply.', examples: [404] },
    detail: {
      type: 'string',
      description: 'What happened, and what to do.',
      examples: ['There is no app with this name or id, or it was deleted. Check the name or id.']
    },
    code: {
      type: 'string',
      enum: CODES,
      description:
        'A machine-readable code for the type of problem. The meaning of a code never changes. New codes may be ' +
        'added.',
      examples: ['APP_NOT_FOUND']
    },
    request_id: {
      type: 'string',
      description:
        'The id of the request in the log and in the audit trail. The `x-request-id` header contains the same id.',
      examples: [EXAMPLE_REQUEST_ID]
    },
    errors: {
      type: 'array',
      items: { type: 'string' },
      description: 'One sentence for each error in the request.',
      examples: [['There is no app with this name or id, or it was deleted. Check the name or id.']]
    },
    fields: {
      type: 'array',
      items: {
        type: 'object',
        required: ['in', 'pointer', 'detail'],
        properties: {
          in: { type: 'string', enum: PLACES, description: 'The part of the request that contains the field.' },
          pointer: {
            type: 'string',
            description:
              'A JSON pointer to the field in the body (RFC 6901), or `/` followed by the name of the parameter.'
          },
          detail: { type: 'string', description: 'What is wrong with the field. The text is also in `errors`.' }
        }
      },
      description: 'The invalid fields. Omitted if the problem does not concern specific fields.',
      examples: [[{ in: 'body', pointer: '/scopes/0', detail: 'scopes.0 must be apps:read' }]]
    },
    error: {
      type: 'string',
      enum: ['invalid_request'],
      description: 'Only in replies of `POST /introspect`: the error code of OAuth 2.0 (RFC 6749, section 5.2).'
    },
    success: {
      type: 'boolean',
      enum: [false],
      description: "Present only in the reply to a sign-out without a session, because Trivial's own clients expect it."
    }
  }
} as const

// The type of `code` is added here, because it can't be inferred from CODES, which isn't a tuple.
export type Problem = Omit<XStatic<typeof Problem>, 'code'> & { code: ErrorCode }
export type ProblemField = NonNullable<Problem['fields']>[number]

/** Returns whether an error has a specific response. */
export const isProblem = (error: unknown): error is ProblemError =>
  error instanceof DomainError && error.code in PROBLEMS

/** Data about a failed request for its problem document. */
export interface ProblemContext {
  readonly requestId: string
  readonly fields?: readonly ProblemField[]
}

/** Creates the problem document for an error. */
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
