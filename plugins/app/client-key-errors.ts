import { createError } from '@fastify/error'

// Failures that the plugins for client keys make themselves: they have a status code, and name no route of any service.

export const CredentialRequired = createError<[]>(
  'CREDENTIAL_REQUIRED',
  'Send a client key: Authorization: Bearer <key_access_token>.',
  401
)

export const InvalidToken = createError<[]>(
  'INVALID_TOKEN',
  'There is no allowed client key in the headers. Send Authorization: Bearer <key_access_token> once.',
  401
)

export const BrowserNotAllowed = createError<[]>(
  'BROWSER_NOT_ALLOWED',
  'A browser sent this request from a page of another site. A client key must not be in a page: call from a server.',
  403
)

export const TooManyHeaders = createError<[]>(
  'HEADERS_TOO_LARGE',
  'The request has more header lines than are read. Send fewer.',
  431
)

export const InsufficientScope = createError<[scope: string]>(
  'INSUFFICIENT_SCOPE',
  'The client key is allowed, but it needs the scope %s for this.',
  403
)

export const AddressNotAllowed = createError<[]>(
  'ADDRESS_NOT_ALLOWED',
  'The client key is allowed, but not from the address that the request came from.',
  403
)

export const UserRequired = createError<[]>('USER_REQUIRED', 'No client key may use this route.', 403)

export const RateLimited = createError<[]>(
  'RATE_LIMITED',
  'The client key has used up its rate limit. Try again after the seconds in Retry-After.',
  429
)

export const LimitUndecided = createError<[options: { cause: unknown }]>(
  'LIMIT_UNDECIDED',
  'The client key has a rate limit, and its use is not known at the moment. Try again later.',
  503
)

export const KeysUnavailable = createError<[options: { cause: unknown }]>(
  'KEYS_UNAVAILABLE',
  'Whether the client key is allowed is not known at the moment. Try again later.',
  503
)
