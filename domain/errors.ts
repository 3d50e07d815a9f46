/** What a failure says besides its kind. */
export interface ErrorDetails {
  /** By default the first of `errors`, or else the message of the kind. */
  readonly message?: string
  /** One sentence for each thing that is wrong, where there are several. */
  readonly errors?: readonly string[]
  readonly cause?: unknown
}

/** A foreseen failure. `message` and `errors` are shown to the client, so they never hold what it sent. */
export class DomainError<Code extends string = string> extends Error {
  /** The kind of failure, for programs. Codes never change their meaning. */
  readonly code: Code
  /** One sentence for each thing that is wrong, where there are several. */
  readonly errors: readonly string[] | undefined

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(details.message ?? details.errors?.[0] ?? message, details)
    this.code = code
    this.errors = details.errors
  }
}

export const isDomainError = (error: unknown): error is DomainError => error instanceof DomainError

export type DomainErrorClass<Code extends string = string> = new (details?: ErrorDetails) => DomainError<Code>

/** The codes of the errors that a module exports. */
export type CodesOf<Module> = {
  [Name in keyof Module]: Module[Name] extends DomainErrorClass<infer Code> ? Code : never
}[keyof Module]

/** Makes the class of one kind of failure. */
export const defineError = <const Code extends string>(code: Code, message: string): DomainErrorClass<Code> =>
  class extends DomainError<Code> {
    // The type of the error in a line of the log.
    static override readonly name: string = code

    constructor(details?: ErrorDetails) {
      super(code, message, details)
    }
  }

// Authentication and authorization

export const InvalidToken = defineError(
  'INVALID_TOKEN',
  'The headers hold neither an active client key nor an active session. Send Authorization: Bearer ' +
    '<key_access_token> once, with a token that is allowed here, or sign in again.'
)

export const InsufficientScope = defineError('INSUFFICIENT_SCOPE', 'The client key is active, but it may not do this.')

/** The error of a key that has not the scope that is asked for. */
export const missingScope = (scope: string): InstanceType<typeof InsufficientScope> =>
  new InsufficientScope({ message: `The client key is active, but it may not do this: it needs the scope ${scope}.` })

// Client keys

export const ClientKeyNotFound = defineError('CLIENT_KEY_NOT_FOUND', 'No client key has this id.')

export const ClientKeyNameTaken = defineError(
  'CLIENT_KEY_NAME_TAKEN',
  'Another client key that is not revoked has this name. Choose another, or revoke that key first.'
)

export const ClientKeyRevoked = defineError(
  'CLIENT_KEY_REVOKED',
  'A revoked client key stays revoked and can not be changed. Issue a new one.'
)

export const EnvironmentKeyFixed = defineError(
  'ENVIRONMENT_KEY_FIXED',
  'This key is an entry of CLIENT_KEYS in the environment of the service: it can be revoked here, but ' +
    'neither changed nor rotated. Issue a managed key instead.'
)

export const TooManyTokens = defineError(
  'TOO_MANY_TOKENS',
  'A hundred tokens of this key are active. Wait until some expire, or rotate with grace_seconds 0, which ' +
    'ends them all.'
)

/** `errors` has one sentence for each thing that is beyond the permission boundary of the actor. */
export const BeyondPermissionBoundary = defineError(
  'BEYOND_CEILING',
  'A client key can not give what it lacks, nor touch a key that is broader than itself; errors names what ' +
    'is beyond it.'
)

export const IdempotencyKeyReused = defineError(
  'IDEMPOTENCY_KEY_REUSED',
  'Another request with this Idempotency-Key was made in the last ten minutes. Send a new one with each new ' +
    'request, and the same one with a retry.'
)

/** A token of the secret of this process would be refused elsewhere. */
export const SecretNotShared = defineError(
  'SECRET_NOT_SHARED',
  'No token was made: another node can not open tokens of the CLIENT_SECRET of this one, and would refuse it. Give ' +
    'every node the same secrets; GET /nodes shows the generations that each has.'
)

export const ReceiptNotFound = defineError(
  'RECEIPT_NOT_FOUND',
  'The change is too long ago, so that every node obeys it, or the database was restored to before it.'
)

// Users and organizations

export const InvalidLogin = defineError('INVALID_LOGIN', 'Invalid login credentials. Please try again.')

export const AccountLocked = defineError(
  'ACCOUNT_LOCKED',
  'An administrator has locked this account. Ask one to unlock it.'
)

export const TooBusy = defineError(
  'TOO_BUSY',
  'The service has more passwords to check than it can. Try again after the seconds that Retry-After tells.'
)

export const Forbidden = defineError(
  'FORBIDDEN',
  'You may see this, but you may not do this to it: ask its owner, or an administrator of the organization ' +
    'that owns it.'
)

export const UserNotFound = defineError('USER_NOT_FOUND', 'No user has this id.')

export const SessionNotFound = defineError('SESSION_NOT_FOUND', 'You have no session of this id; it may have ended.')

export const OrganizationNotFound = defineError(
  'ORGANIZATION_NOT_FOUND',
  'No organization has this id, or you do not belong to it.'
)

export const EmailTaken = defineError('EMAIL_TAKEN', 'Another user has this e-mail address; its case does not count.')

export const LastAdmin = defineError(
  'LAST_ADMIN',
  'This user is the last administrator of an organization. Make another member an administrator first.'
)

export const OwnsApps = defineError(
  'OWNS_APPS',
  'It owns apps, deleted ones included. Delete them as well, with apps=delete, or give them to another owner, ' +
    'with transfer_to=User:<id> or transfer_to=Organization:<id>; the apps of a user are transferred by client ' +
    'keys only.'
)

export const TooManyTags = defineError(
  'TOO_MANY_TAGS',
  'The app has a thousand tags already, and can bear no more. Remove one first: DELETE /apps/:name/tags.'
)

export const TooManyApps = defineError(
  'TOO_MANY_APPS',
  'It owns more than a thousand apps that are not deleted. Delete some first, or give some away: PUT ' +
    '/apps/:id/transfer/users/:owner_id.'
)

export const TransferNotAllowed = defineError(
  'TRANSFER_NOT_ALLOWED',
  'A session does not transfer the apps of a user who is deleted. Delete the apps as well, with apps=delete; or ' +
    'send the request with a client key that has apps:write and users:write; or have the operator run trivial ' +
    'user remove.'
)

// Fields

/** `errors` has one sentence for each field that is wrong, naming it. */
export const InvalidFields = defineError('INVALID_FIELDS', 'name is required')

// Apps

export const AppNotFound = defineError('APP_NOT_FOUND', 'No app has this name, or it was deleted.')

export const TagNotFound = defineError('TAG_NOT_FOUND', 'The app does not bear this tag, or there is no such app.')

export const DescriptiveNameTaken = defineError(
  'DESCRIPTIVE_NAME_TAKEN',
  'The owner has another app with this descriptive name. Choose another, or delete that app first.'
)

export const NoPortLeft = defineError(
  'NO_PORT_LEFT',
  'Each port from 3001 to 65535 belongs to an app. Delete an app that is not needed; the next one gets its port.'
)

export const OwnerNotFound = defineError(
  'OWNER_NOT_FOUND',
  'owner_id names no user or organization of the given owner_type.'
)

// The store

/** The database can't be used at the moment; nothing was changed. */
export const ServiceUnavailable = defineError(
  'SERVICE_UNAVAILABLE',
  'The database can not be used now. Try again after the seconds that Retry-After tells.'
)

/** Nobody waits for the answer any more, so the work on it has stopped. */
export const RequestCancelled = defineError(
  'REQUEST_CANCELLED',
  'The client closed the connection before it was answered.'
)

/** The database was lost while a change was stored: nobody knows yet whether it was. */
export const OutcomeUnknown = defineError(
  'OUTCOME_UNKNOWN',
  'The database was lost while the change was stored, so it may or may not have been made. Look before you try again.'
)

/** Nobody can tell at the moment what was changed of keys, so no key is accepted; nothing was changed. */
export const FreshnessLost = defineError(
  'LEASE_LOST',
  'The service can not tell now which client keys are revoked. Try again after the seconds that Retry-After tells.'
)

/** Requests with client keys are refused until the database is back; `errors` name what is in the way. */
export const NotReady = defineError(
  'NOT_READY',
  'The service can not answer requests with client keys now. Look at the database, and at the log of the service.'
)

export const isUnavailable = (error: unknown): boolean => error instanceof ServiceUnavailable
