import { createError } from '@fastify/error'

// The errors that the client key plugins throw. Each has a status code. The messages don't mention any routes, because
// other services use these plugins, too.

export const CredentialRequired = createError<[]>(
  'CREDENTIAL_REQUIRED',
  'The request contains no client key. Send Authorization: Bearer <key_access_token>.',
  401
)

export const InvalidToken = createError<[]>(
  'INVALID_TOKEN',
  'The request contains no active client key. Send exactly one Authorization: Bearer <key_access_token> header ' +
    'with a valid token.',
  401
)

export const BrowserNotAllowed = createError<[]>(
  'BROWSER_NOT_ALLOWED',
  "A browser sent this request from another site's page. Do not use client keys in web pages; send the request " +
    'from a server.',
  403
)

export const TooManyHeaders = createError<[]>(
  'HEADERS_TOO_LARGE',
  'The request has too many header lines. Send fewer.',
  431
)

export const InsufficientScope = createError<[scope: string]>(
  'INSUFFICIENT_SCOPE',
  'The client key lacks a required scope. This route requires %s. Give the key that scope, or use another key.',
  403
)

export const AddressNotAllowed = createError<[]>(
  'ADDRESS_NOT_ALLOWED',
  'The client key is active, but not allowed from your address. Add your address, or use an allowed one.',
  403
)

export const UserRequired = createError<[]>(
  'USER_REQUIRED',
  'This route does not accept client keys. Use another credential.',
  403
)

export const RateLimited = createError<[]>(
  'RATE_LIMITED',
  'The client key has exceeded its rate limit. Try again after the number of seconds in Retry-After.',
  429
)

export const LimitUndecided = createError<[options: { cause: unknown }]>(
  'LIMIT_UNDECIDED',
  'The service cannot currently determine whether the client key has exceeded its rate limit. Try again later.',
  503
)

export const KeysUnavailable = createError<[options: { cause: unknown }]>(
  'KEYS_UNAVAILABLE',
  'The service cannot currently determine whether the client key is active. Try again later.',
  503
)
