import { defineError } from '../domain/domain-error.ts'

export const CredentialRequired = defineError(
  'CREDENTIAL_REQUIRED',
  'Send a client key, Authorization: Bearer <key_access_token>, or sign in: POST /auth/sign_in.'
)

export const BrowserNotAllowed = defineError(
  'BROWSER_NOT_ALLOWED',
  'A browser sent this request from a page of another site. A client key reaches everything, so it must not ' +
    'be in a page: call from a server.'
)

export const AddressNotAllowed = defineError(
  'ADDRESS_NOT_ALLOWED',
  'The client key is active, but the address that the request came from is none of its allowed_ips.'
)

export const RateLimited = defineError(
  'RATE_LIMITED',
  'The client key has used up its rate_limit. Try again after the seconds that Retry-After tells.'
)

export const LimitUndecided = defineError(
  'LIMIT_UNDECIDED',
  'How often this may be done is limited, and how often it was done can not be told now. Try again after the ' +
    'seconds that Retry-After tells.'
)

export const SignInLimited = defineError(
  'SIGN_IN_LIMITED',
  'Too many attempts were made from this address or for this account. Try again after the seconds that ' +
    'Retry-After tells.'
)

export const SignUpClosed = defineError(
  'SIGN_UP_CLOSED',
  'The operator of the service makes its users: ask for an account.'
)

export const UserRequired = defineError(
  'USER_REQUIRED',
  'A client key belongs to no user, so there is nothing here for it. Sign in: POST /auth/sign_in.'
)

/** Trivial's own interface compares this sentence. */
export const NotSignedIn = defineError('NOT_SIGNED_IN', 'User was not found or was not logged in.')

export const ClientKeyRequired = defineError('CLIENT_KEY_REQUIRED', 'A user can not do this: it needs a client key.')

export const AdminRequired = defineError(
  'ADMIN_REQUIRED',
  'Only users with the role admin, and client keys that have the scope, may do this.'
)

export const BadUrl = defineError(
  'BAD_URL',
  'The URL is not well-formed: its percent-encoding must be that of UTF-8, without %00, the character U+0000.'
)

export const BadRequest = defineError(
  'BAD_REQUEST',
  'The request is not well-formed HTTP, or its body does not agree with its headers.'
)

export const HostNotClear = defineError(
  'BAD_REQUEST',
  'Send the Host header once, with a host and its port and nothing else. A URL with a host must name the same.'
)

export const UnsupportedTransferCoding = defineError(
  'BAD_REQUEST',
  'Of Transfer-Encoding only chunked is supported, and only in HTTP/1.1. Send the body as it is.'
)

export const AgentNotText = defineError(
  'BAD_REQUEST',
  'The User-Agent header holds bytes that are not UTF-8. Send ASCII or UTF-8.'
)

export const ExpectationFailed = defineError(
  'EXPECTATION_FAILED',
  'Of Expect only 100-continue is supported. Send the request without the Expect header.'
)

export const AddressUnknown = defineError(
  'ADDRESS_UNKNOWN',
  'Attempts are limited by address, and the address that the proxy before the service passed on can not be read. The ' +
    'operator must have the proxy write the address of the client into X-Forwarded-For.'
)

export const MalformedJson = defineError(
  'MALFORMED_JSON',
  'Content-Type says JSON, but the body is empty, is not well-formed JSON, or holds a key such as __proto__.'
)

export const BodyNotUtf8 = defineError(
  'MALFORMED_JSON',
  'The body holds bytes that are not UTF-8. Send JSON in UTF-8 (RFC 8259).'
)

export const RequestTimeout = defineError('REQUEST_TIMEOUT', 'The request did not arrive in time. Send it again.')

export const BodyTooLarge = defineError('BODY_TOO_LARGE', 'A body may hold 1 MiB at most.')

export const UnsupportedMediaType = defineError(
  'UNSUPPORTED_MEDIA_TYPE',
  'Send JSON, with Content-Type: application/json.'
)

export const UnsupportedCharset = defineError(
  'UNSUPPORTED_MEDIA_TYPE',
  'JSON is UTF-8. Send it so, with Content-Type: application/json and no other charset.'
)

export const UnsupportedContentCoding = defineError(
  'UNSUPPORTED_MEDIA_TYPE',
  'Send the body as it is, without Content-Encoding.'
)

export const HeadersTooLarge = defineError(
  'HEADERS_TOO_LARGE',
  'The headers of a request may hold 16 KiB at most, in fewer than 1,000 lines.'
)

export const RouteNotFound = defineError(
  'ROUTE_NOT_FOUND',
  'Nothing is served at this path. The routes are described at /docs.'
)

export const MethodNotAllowed = defineError(
  'METHOD_NOT_ALLOWED',
  'This path is served, but not with this method; the Allow header names those it is served with.'
)

export const InternalError = defineError(
  'INTERNAL_ERROR',
  'The service failed. The operator finds the failure in its log, under this request_id.'
)
