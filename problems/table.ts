import { defineProblem } from './problem.ts'
import type { ProblemError } from './problem.ts'

// Authentication and authorization

export const CredentialRequired = defineProblem({
  code: 'CREDENTIAL_REQUIRED',
  status: 401,
  title: 'A credential is required',
  detail: 'Send a client key, Authorization: Bearer <key_access_token>, or sign in: POST /auth/sign_in.'
})

export const InvalidToken = defineProblem({
  code: 'INVALID_TOKEN',
  status: 401,
  title: 'The credential is not good',
  detail:
    'There is no good client key and no good session in the headers. Send Authorization: Bearer <key_access_token> once, with a token that is allowed here, or sign in again.'
})

export const BrowserNotAllowed = defineProblem({
  code: 'BROWSER_NOT_ALLOWED',
  status: 403,
  title: 'Client keys are not for browser pages',
  detail:
    'A browser sent this request from a page of another site. A client key reaches everything, so it must not be in a page: call from a server.'
})

const InsufficientScopeBase = defineProblem({
  code: 'INSUFFICIENT_SCOPE',
  status: 403,
  title: 'The key lacks a scope',
  detail: 'The client key is good, but it may not do this.'
})

/** The key has not the scope that the route asks for. */
export class InsufficientScope extends InsufficientScopeBase {
  constructor(scope: string) {
    super()
    this.message = `The client key is good, but it may not do this: it needs the scope ${scope}.`
  }
}

export const AddressNotAllowed = defineProblem({
  code: 'ADDRESS_NOT_ALLOWED',
  status: 403,
  title: 'The key is not for use from this address',
  detail: 'The client key is good, but the address that the request came from is none of its allowed_ips.'
})

export const RateLimited = defineProblem({
  code: 'RATE_LIMITED',
  status: 429,
  title: 'Too many requests with this key',
  detail: 'The client key has used up its rate_limit. Try again after the seconds that Retry-After tells.'
})

export const LimitUndecided = defineProblem({
  code: 'LIMIT_UNDECIDED',
  status: 503,
  title: 'The rate limit can not be told now',
  detail:
    'The client key has a rate_limit, and how much of it is used can not be told now. Try again after the seconds that Retry-After tells.'
})

// Client keys

export const ClientKeyNotFound = defineProblem({
  code: 'CLIENT_KEY_NOT_FOUND',
  status: 404,
  title: 'There is no such client key',
  detail: 'No client key has this id.'
})

export const ClientKeyNameTaken = defineProblem({
  code: 'CLIENT_KEY_NAME_TAKEN',
  status: 409,
  title: 'The name is taken',
  detail: 'Another client key that is not revoked has this name. Choose another, or revoke that key first.'
})

export const ClientKeyRevoked = defineProblem({
  code: 'CLIENT_KEY_REVOKED',
  status: 409,
  title: 'The client key is revoked',
  detail: 'A revoked client key stays revoked and can not be changed. Issue a new one.'
})

export const EnvironmentKeyFixed = defineProblem({
  code: 'ENVIRONMENT_KEY_FIXED',
  status: 409,
  title: 'Environment keys can not be changed',
  detail:
    'This key is an entry of CLIENT_KEYS in the environment of the service: it can be revoked here, but neither changed nor rotated. Issue a managed key instead.'
})

export const TooManyTokens = defineProblem({
  code: 'TOO_MANY_TOKENS',
  status: 409,
  title: 'The client key has too many tokens',
  detail:
    'A hundred tokens of this key are still good. Wait until some have died, or rotate with grace_seconds 0, which ends them all.'
})

const BeyondCeilingBase = defineProblem({
  code: 'BEYOND_CEILING',
  status: 403,
  title: 'This goes beyond your own key',
  detail:
    'A client key can not give what it lacks, nor touch a key that is broader than itself; errors names what is beyond it.'
})

/** One sentence for each thing that is beyond the author of a change. */
export class BeyondCeiling extends BeyondCeilingBase {
  override errors: readonly string[]

  constructor(errors?: readonly string[]) {
    super()
    this.errors = errors ?? [this.message]
    this.message = String(this.errors[0])
  }
}

export const IdempotencyKeyReused = defineProblem({
  code: 'IDEMPOTENCY_KEY_REUSED',
  status: 422,
  title: 'The Idempotency-Key was used for something else',
  detail:
    'Another request with this Idempotency-Key was made in the last ten minutes. Send a new one with each new request, and the same one with a retry.'
})

// Users and organizations

export const InvalidLogin = defineProblem({
  code: 'INVALID_LOGIN',
  status: 401,
  title: 'The sign-in is refused',
  detail: 'Invalid login credentials. Please try again.'
})

export const AccountLocked = defineProblem({
  code: 'ACCOUNT_LOCKED',
  status: 403,
  title: 'The account is locked',
  detail: 'An administrator has locked this account. Ask one to unlock it.'
})

export const SignInLimited = defineProblem({
  code: 'SIGN_IN_LIMITED',
  status: 429,
  title: 'Too many attempts',
  detail:
    'Too many attempts were made from this address or for this account. Try again after the seconds that Retry-After tells.'
})

export const TooBusy = defineProblem({
  code: 'TOO_BUSY',
  status: 503,
  title: 'Too many passwords are being checked',
  detail: 'The service has more passwords to check than it can. Try again after the seconds that Retry-After tells.'
})

export const SignUpClosed = defineProblem({
  code: 'SIGN_UP_CLOSED',
  status: 403,
  title: 'Nobody can sign up here',
  detail: 'The operator of the service makes its users: ask for an account.'
})

export const UserRequired = defineProblem({
  code: 'USER_REQUIRED',
  status: 403,
  title: 'This is for users',
  detail: 'A client key belongs to no user, so there is nothing here for it. Sign in: POST /auth/sign_in.'
})

export const ClientKeyRequired = defineProblem({
  code: 'CLIENT_KEY_REQUIRED',
  status: 403,
  title: 'This is for client keys',
  detail: 'A user can not do this: it needs a client key.'
})

export const AdminRequired = defineProblem({
  code: 'ADMIN_REQUIRED',
  status: 403,
  title: 'This is for administrators',
  detail: 'Only users with the role admin, and client keys that have the scope, may do this.'
})

export const Forbidden = defineProblem({
  code: 'FORBIDDEN',
  status: 403,
  title: 'You may not do this',
  detail:
    'You may see this, but you may not do this to it: ask its owner, or an administrator of the organization that owns it.'
})

export const UserNotFound = defineProblem({
  code: 'USER_NOT_FOUND',
  status: 404,
  title: 'There is no such user',
  detail: 'No user has this id.'
})

export const SessionNotFound = defineProblem({
  code: 'SESSION_NOT_FOUND',
  status: 404,
  title: 'There is no such session',
  detail: 'You have no session of this id; it may have ended.'
})

export const OrganizationNotFound = defineProblem({
  code: 'ORGANIZATION_NOT_FOUND',
  status: 404,
  title: 'There is no such organization',
  detail: 'No organization has this id, or you do not belong to it.'
})

export const EmailTaken = defineProblem({
  code: 'EMAIL_TAKEN',
  status: 409,
  title: 'The e-mail address is taken',
  detail: 'Another user has this e-mail address; its case does not count.'
})

export const LastAdmin = defineProblem({
  code: 'LAST_ADMIN',
  status: 409,
  title: 'An organization keeps an administrator',
  detail: 'This user is the last administrator of an organization. Make another member an administrator first.'
})

export const OwnsApps = defineProblem({
  code: 'OWNS_APPS',
  status: 409,
  title: 'It owns apps',
  detail:
    'It owns apps, deleted ones included, which need another owner first: name one, as transfer_to=User:<id> or transfer_to=Organization:<id>.'
})

export const TooManyTags = defineProblem({
  code: 'TOO_MANY_TAGS',
  status: 409,
  title: 'The app has too many tags',
  detail: 'The app has a thousand tags already, and can bear no more. Remove one first: DELETE /apps/:name/tags.'
})

export const TooManyApps = defineProblem({
  code: 'TOO_MANY_APPS',
  status: 409,
  title: 'It owns too many apps',
  detail:
    'It owns more than a thousand apps that are not deleted. Give some away first: PUT /apps/:id/transfer/:owner_type/:owner_id.'
})

// Requests

export const BadUrl = defineProblem({
  code: 'BAD_URL',
  status: 400,
  title: 'The URL is malformed',
  detail: 'The path of the URL is not well-formed; check its percent-encoding.'
})

export const BadRequest = defineProblem({
  code: 'BAD_REQUEST',
  status: 400,
  title: 'The request is malformed',
  detail: 'The request is not well-formed HTTP, or its body does not agree with its headers.'
})

export const MalformedJson = defineProblem({
  code: 'MALFORMED_JSON',
  status: 400,
  title: 'The body is not JSON',
  detail: 'Content-Type says JSON, but the body is empty, is not well-formed JSON, or holds a key such as __proto__.'
})

export const RequestTimeout = defineProblem({
  code: 'REQUEST_TIMEOUT',
  status: 408,
  title: 'The request took too long',
  detail: 'The request did not arrive in time. Send it again.'
})

export const BodyTooLarge = defineProblem({
  code: 'BODY_TOO_LARGE',
  status: 413,
  title: 'The body is too large',
  detail: 'A body may hold 1 MiB at most.'
})

export const UnsupportedMediaType = defineProblem({
  code: 'UNSUPPORTED_MEDIA_TYPE',
  status: 415,
  title: 'The media type is not supported',
  detail: 'Send JSON, with Content-Type: application/json.'
})

export const HeadersTooLarge = defineProblem({
  code: 'HEADERS_TOO_LARGE',
  status: 431,
  title: 'The headers are too large',
  detail: 'The headers of a request may hold 16 KiB at most.'
})

export const RouteNotFound = defineProblem({
  code: 'ROUTE_NOT_FOUND',
  status: 404,
  title: 'There is no such route',
  detail: 'Nothing is served at this path. The routes are described at /docs.'
})

export const MethodNotAllowed = defineProblem({
  code: 'METHOD_NOT_ALLOWED',
  status: 405,
  title: 'The method is not allowed here',
  detail: 'This path is served, but not with this method; the Allow header names those it is served with.'
})

const InvalidFieldsBase = defineProblem({
  code: 'INVALID_FIELDS',
  status: 422,
  title: 'Some fields are not valid',
  detail: 'name is required'
})

/** One sentence for each field that is wrong, naming it. */
export class InvalidFields extends InvalidFieldsBase {
  override errors: readonly string[]

  constructor(errors?: readonly string[]) {
    super()
    this.errors = errors ?? [this.message]
    this.message = String(this.errors[0])
  }
}

// Apps

export const AppNotFound = defineProblem({
  code: 'APP_NOT_FOUND',
  status: 404,
  title: 'There is no such app',
  detail: 'No app has this name, or it was deleted.'
})

export const TagNotFound = defineProblem({
  code: 'TAG_NOT_FOUND',
  status: 404,
  title: 'There is no such tag',
  detail: 'The app does not bear this tag, or there is no such app.'
})

export const DescriptiveNameTaken = defineProblem({
  code: 'DESCRIPTIVE_NAME_TAKEN',
  status: 409,
  title: 'The descriptive name is taken',
  detail: 'The owner has another app with this descriptive name. Choose another, or delete that app first.'
})

export const NoPortLeft = defineProblem({
  code: 'NO_PORT_LEFT',
  status: 409,
  title: 'There is no port left',
  detail:
    'Each port from 3001 to 65535 belongs to an app. Delete an app that is not needed; the next one gets its port.'
})

export const OwnerNotFound = defineProblem({
  code: 'OWNER_NOT_FOUND',
  status: 422,
  title: 'There is no such owner',
  detail: 'owner_id names no user or organization of the given owner_type.'
})

// The service

export const InternalError = defineProblem({
  code: 'INTERNAL_ERROR',
  status: 500,
  title: 'Something went wrong here',
  detail: 'The service failed to answer. The failure is in its log, under the id in the X-Request-Id header.'
})

export const ServiceUnavailable = defineProblem({
  code: 'SERVICE_UNAVAILABLE',
  status: 503,
  title: 'The service is not available now',
  detail: 'The database can not be used now. Try again after the seconds that Retry-After tells.'
})

/** What a failure that Fastify itself raised is to a client, by its code. */
export const frameworkProblems: Readonly<Record<string, new () => ProblemError>> = {
  FST_ERR_BAD_URL: BadUrl,
  FST_ERR_MAX_PARAM_LENGTH: RouteNotFound,
  FST_ERR_CTP_EMPTY_JSON_BODY: MalformedJson,
  FST_ERR_CTP_INVALID_JSON_BODY: MalformedJson,
  FST_ERR_CTP_BODY_TOO_LARGE: BodyTooLarge,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: UnsupportedMediaType,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: BadRequest
}
