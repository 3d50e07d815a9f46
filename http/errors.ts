import { defineError } from '../domain/domain-error.ts'

export const CredentialRequired = defineError(
  'CREDENTIAL_REQUIRED',
  'The request contains no credential. Send a client key as Authorization: Bearer <key_access_token>, or sign in ' +
    'with POST /auth/sign_in.'
)

export const BrowserNotAllowed = defineError(
  'BROWSER_NOT_ALLOWED',
  "A browser sent this request from another site's page. Do not use client keys in web pages, because they are not " +
    'limited to one user; send the request from a server.'
)

export const AddressNotAllowed = defineError(
  'ADDRESS_NOT_ALLOWED',
  'The client key is active, but its allowed_ips do not include your address. Add your address, or use an allowed ' +
    'one.'
)

export const RateLimited = defineError(
  'RATE_LIMITED',
  'The client key has exceeded its rate_limit. Try again after the number of seconds in Retry-After.'
)

export const LimitUndecided = defineError(
  'LIMIT_UNDECIDED',
  'The service cannot currently determine whether a limit on requests or attempts has been reached. Try again after ' +
    'the number of seconds in Retry-After.'
)

export const SignInLimited = defineError(
  'SIGN_IN_LIMITED',
  'There have been too many attempts from this address or for this account. Try again after the number of seconds in ' +
    'Retry-After.'
)

export const SignUpClosed = defineError(
  'SIGN_UP_CLOSED',
  'Only the operator of this service can create users, so you cannot sign up. Ask the operator for an account.'
)

export const UserRequired = defineError(
  'USER_REQUIRED',
  'This route requires a user session, because client keys do not belong to a user. Sign in with POST /auth/sign_in.'
)

/** Trivial's own user interface checks for this exact message. */
export const NotSignedIn = defineError('NOT_SIGNED_IN', 'User was not found or was not logged in.')

export const ClientKeyRequired = defineError(
  'CLIENT_KEY_REQUIRED',
  'This route does not accept user sessions. Send the request with a client key.'
)

export const AdminRequired = defineError(
  'ADMIN_REQUIRED',
  'Only users with the role admin, and client keys with the required scope, can do this. Ask an administrator, or ' +
    'use such a key.'
)

export const BadUrl = defineError(
  'BAD_URL',
  'The URL is malformed. Its percent-encoding must be valid UTF-8, without the character U+0000 (%00).'
)

export const BadRequest = defineError(
  'BAD_REQUEST',
  'The request is not well-formed HTTP, or its body does not match its headers. Correct it and send it again.'
)

export const HostNotClear = defineError(
  'BAD_REQUEST',
  'The Host header is missing, repeated or malformed, or it differs from the host in the URL. Send it once, with ' +
    'only a host and a port.'
)

export const UnsupportedTransferCoding = defineError(
  'BAD_REQUEST',
  'This Transfer-Encoding is not supported. Send the body without one, or use chunked in HTTP/1.1.'
)

export const AgentNotText = defineError(
  'BAD_REQUEST',
  'The User-Agent header contains bytes that are not UTF-8. Send it as ASCII or UTF-8.'
)

export const ExpectationFailed = defineError(
  'EXPECTATION_FAILED',
  'The service supports only Expect: 100-continue. Send the request without the Expect header.'
)

export const AddressUnknown = defineError(
  'ADDRESS_UNKNOWN',
  'The proxy did not send a valid client address, which is needed to limit attempts. The operator must configure ' +
    "it to send the client's address in X-Forwarded-For."
)

export const MalformedJson = defineError(
  'MALFORMED_JSON',
  'Content-Type specifies JSON, but the body is empty or malformed, or contains a forbidden key such as __proto__. ' +
    'Send valid JSON.'
)

/** The reply also has the error code of OAuth 2.0 (RFC 6749, section 5.2). */
export const InvalidRequest = defineError(
  'INVALID_REQUEST',
  'The parameter token is missing. Send it in the body, as application/x-www-form-urlencoded.'
)

export const BodyNotUtf8 = defineError(
  'MALFORMED_JSON',
  'The body contains bytes that are not UTF-8. Send JSON encoded as UTF-8 (RFC 8259).'
)

export const RequestTimeout = defineError('REQUEST_TIMEOUT', 'The request did not arrive in time. Send it again.')

export const BodyTooLarge = defineError('BODY_TOO_LARGE', 'The body is larger than 1 MiB. Send a smaller one.')

export const UnsupportedMediaType = defineError(
  'UNSUPPORTED_MEDIA_TYPE',
  'The media type of the body is not accepted. Send JSON, with Content-Type: application/json; only POST /introspect ' +
    'takes application/x-www-form-urlencoded instead.'
)

export const UnsupportedCharset = defineError(
  'UNSUPPORTED_MEDIA_TYPE',
  'The charset is not supported. Encode the JSON as UTF-8, and send Content-Type: application/json with no ' +
    'charset, or with charset=utf-8.'
)

export const UnsupportedContentCoding = defineError(
  'UNSUPPORTED_MEDIA_TYPE',
  'Content-Encoding is not supported. Send the body unencoded, without that header.'
)

export const HeadersTooLarge = defineError(
  'HEADERS_TOO_LARGE',
  'The headers are larger than 16 KiB, or have 1,000 lines or more. Send fewer or shorter headers.'
)

export const RouteNotFound = defineError(
  'ROUTE_NOT_FOUND',
  'No route has this path. See /docs for the available routes.'
)

export const MethodNotAllowed = defineError(
  'METHOD_NOT_ALLOWED',
  'This path does not support this method. Use one of the methods in the Allow header.'
)

export const InternalError = defineError(
  'INTERNAL_ERROR',
  'The service failed unexpectedly. Ask the operator, who can find the cause in the log by request_id.'
)
