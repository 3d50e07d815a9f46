import { defineError } from './domain-error.ts'

// Authentication and authorization

export const InvalidToken = defineError(
  'INVALID_TOKEN',
  'The request contains no active client key or session. Send exactly one Authorization header with a valid token, ' +
    'or sign in again.'
)

export const InsufficientScope = defineError(
  'INSUFFICIENT_SCOPE',
  'The client key is active, but lacks a required scope. Give the key that scope, or use another key.'
)

/** Creates the error for a client key that lacks a required scope. */
export const missingScope = (scope: string): InstanceType<typeof InsufficientScope> =>
  new InsufficientScope({ message: `The client key lacks the scope ${scope}. Give it that scope, or use another key.` })

// Client keys

export const ClientKeyNotFound = defineError('CLIENT_KEY_NOT_FOUND', 'No client key has this id. Check the id.')

export const ClientKeyNameTaken = defineError(
  'CLIENT_KEY_NAME_TAKEN',
  'An unrevoked client key already has this name. Choose another name, or revoke that key first.'
)

export const ClientKeyRevoked = defineError(
  'CLIENT_KEY_REVOKED',
  'The client key has been permanently revoked, so it cannot be changed. Issue a new one.'
)

export const EnvironmentKeyReadOnly = defineError(
  'ENVIRONMENT_KEY_FIXED',
  'This key is configured in CLIENT_KEYS, so it can be revoked, but not changed or rotated. Issue a managed key ' +
    'instead.'
)

export const TooManyTokens = defineError(
  'TOO_MANY_TOKENS',
  'The key already has 100 active tokens. Wait until some expire, or rotate the key with grace_seconds set ' +
    'to 0 to revoke all of them.'
)

/** `errors` contains one sentence for each way in which the request exceeds the requester's permission boundary. */
export const BeyondPermissionBoundary = defineError(
  'BEYOND_CEILING',
  'The request exceeds your permission boundary. You cannot grant permissions that you do not have, or change a key ' +
    'that has them. See errors for details.'
)

export const IdempotencyKeyReused = defineError(
  'IDEMPOTENCY_KEY_REUSED',
  'A different request used this Idempotency-Key in the last ten minutes. Send a new key with each request, and ' +
    'reuse a key only to retry.'
)

/** Thrown if another process would refuse a token that is sealed with this process's secret. */
export const SecretNotShared = defineError(
  'SECRET_NOT_SHARED',
  'No token was created, because another node lacks this CLIENT_SECRET and would refuse the token. Give all nodes ' +
    'the same secrets; GET /nodes shows their generations.'
)

/** Thrown if a node would continue to accept the keys that a change affects. */
export const NodesOutdated = defineError(
  'NODES_OUTDATED',
  'Nothing was changed: a running node has an earlier version, which does not support changes to many keys at once. ' +
    'Update all nodes, then retry; GET /nodes shows their versions.'
)

export const ReceiptNotFound = defineError(
  'RECEIPT_NOT_FOUND',
  'No receipt has this id. Either the change is old, and every node has applied it, or the database was restored to ' +
    'an earlier state.'
)

// Services

export const ServiceNotFound = defineError(
  'SERVICE_NOT_FOUND',
  'No service has this name. Check the name, or list the services with GET /services.'
)

export const ServiceNameTaken = defineError(
  'SERVICE_NAME_TAKEN',
  'Another service has this name. Choose another name, or change that service with PATCH /services/:name.'
)

export const ServiceInUse = defineError(
  'SERVICE_IN_USE',
  '3 client keys have scopes that would be removed. To take these scopes from them, repeat the request with force=true.'
)

export const TooManyServices = defineError(
  'TOO_MANY_SERVICES',
  'There are already 1000 services, which is the maximum. Remove one first, with DELETE /services/:name.'
)

// Users and organizations

export const InvalidLogin = defineError('INVALID_LOGIN', 'Invalid login credentials. Please try again.')

export const AccountLocked = defineError(
  'ACCOUNT_LOCKED',
  'An administrator has locked this account. Ask an administrator to unlock it.'
)

export const TooBusy = defineError(
  'TOO_BUSY',
  'Too many passwords are waiting to be checked. Try again after the number of seconds in Retry-After.'
)

export const Forbidden = defineError(
  'FORBIDDEN',
  'You do not have permission to do this. Ask the owner of the resource, or an administrator of the organization ' +
    'that owns it.'
)

export const UserNotFound = defineError('USER_NOT_FOUND', 'No user has this id. Check the id.')

export const SessionNotFound = defineError(
  'SESSION_NOT_FOUND',
  'You have no session with this id. It may have already ended; list your sessions to see the active ones.'
)

export const OrganizationNotFound = defineError(
  'ORGANIZATION_NOT_FOUND',
  'There is no organization with this id, or you do not belong to it. Check the id, or ask one of its ' +
    'administrators to add you.'
)

export const EmailTaken = defineError(
  'EMAIL_TAKEN',
  'Another user already has this e-mail address. E-mail addresses are not case-sensitive. Choose another address.'
)

export const LastAdmin = defineError(
  'LAST_ADMIN',
  'This user is the last administrator of an organization. Make another member an administrator first.'
)

export const OwnsApps = defineError(
  'OWNS_APPS',
  'The owner still has apps; deleted apps count too. Send apps=delete, or transfer_to=User:<id> or ' +
    "transfer_to=Organization:<id>; only client keys can transfer a user's apps."
)

export const TooManyTags = defineError(
  'TOO_MANY_TAGS',
  'The app already has 1000 tags, which is the maximum. Remove one first, with DELETE /apps/:name/tags.'
)

export const TooManyApps = defineError(
  'TOO_MANY_APPS',
  'The owner has more than 1000 apps, not counting deleted ones. First delete some, or transfer some with PUT ' +
    '/apps/:id/transfer/users/:owner_id.'
)

export const TransferNotAllowed = defineError(
  'TRANSFER_NOT_ALLOWED',
  'You cannot use a session to delete a user and transfer their apps. Send apps=delete, use a client key with ' +
    'apps:write and users:write, or run trivial user remove.'
)

// Fields

/** `errors` contains one sentence for each invalid field, beginning with its name. */
export const InvalidFields = defineError('INVALID_FIELDS', 'name is required')

// Apps

export const AppNotFound = defineError(
  'APP_NOT_FOUND',
  'There is no app with this name or id, or it was deleted. Check the name or id.'
)

export const TagNotFound = defineError(
  'TAG_NOT_FOUND',
  "The app does not have this tag, or does not exist. Check the app's name and the tag."
)

export const DescriptiveNameTaken = defineError(
  'DESCRIPTIVE_NAME_TAKEN',
  'The owner has another app with this descriptive name. Choose another name, or delete that app first.'
)

export const NoPortLeft = defineError(
  'NO_PORT_LEFT',
  'All ports from 3001 to 65535 are in use by apps. Delete an app that is no longer needed to free its port.'
)

export const OwnerNotFound = defineError(
  'OWNER_NOT_FOUND',
  'No user or organization has this owner_type and owner_id. Check both values.'
)

// Storage

/** Thrown if the database can't be used at the moment. Nothing was changed. */
export const ServiceUnavailable = defineError(
  'SERVICE_UNAVAILABLE',
  'The database cannot be used at the moment. Try again after the number of seconds in Retry-After.'
)

/** Thrown if the client is no longer waiting for the response. Work on the request has been stopped. */
export const RequestCancelled = defineError(
  'REQUEST_CANCELLED',
  'The client closed the connection before it received a reply.'
)

/** Thrown if the database connection is lost during a commit, so that it's unknown whether the commit succeeded. */
export const OutcomeUnknown = defineError(
  'OUTCOME_UNKNOWN',
  'The database connection was lost while the change was being stored, so it may or may not have succeeded. ' +
    'Check before you try again.'
)

/** Thrown if the service can't determine which keys have changed. No key is accepted, and nothing was changed. */
export const FreshnessLost = defineError(
  'LEASE_LOST',
  'The service cannot currently determine which client keys are revoked. Try again after the number of seconds in ' +
    'Retry-After.'
)

/** Thrown while the database's state prevents requests with client keys. `errors` contains the reasons. */
export const NotReady = defineError(
  'NOT_READY',
  "The service cannot accept requests with client keys at the moment. Check the database and the service's log."
)

export const isUnavailable = (error: unknown): boolean => error instanceof ServiceUnavailable
