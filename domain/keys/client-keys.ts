import type { Actor } from '../audits/audit.ts'
import { InvalidFields } from '../errors.ts'
import type { ClientKeyRecord, KeyChange, TokenRecord, WantedKey } from './client-key.ts'
import type { ClientKeyFilter, UsageCount } from './rows.ts'
import type { Counters } from '../counters.ts'
import type { UNSCOPED } from './policy/scopes.ts'
import { checkOfLibrary, generationsOf } from './token/secrets.ts'
import { createKeyService } from './service.ts'
import type { KeyService } from './service.ts'
import type { ClientKeyStore } from './store.ts'
import { checkSecrets as checkTokenSecrets } from './token/opener.ts'
import type { TokenSecrets } from './token/opener.ts'
import type { Issued } from './token/token.ts'
import { refuseCredentials } from './token/shape.ts'
import { DEFAULT_GRACE_SECONDS, MAX_GRACE_SECONDS } from './lifecycle/tokens.ts'
import { createUsageRecorder, DAYS_KEPT } from './usage/recorder.ts'
import type { UsageRecorder } from './usage/recorder.ts'
import { createUsageWriter } from './usage/writer.ts'
import type { Demand, Verdict, Verify } from './verdict/verifier.ts'
import { checkedChange, checkedWanted, refuseBadReason } from './policy/checks.ts'
import type { KeyPage } from './queries.ts'

export interface ClientKeysOptions<S extends string> extends TokenSecrets {
  readonly store: ClientKeyStore
  /** `key_id`s, or `sha256:<64 hex>` digests of them, that are accepted beside the keys of the store. */
  readonly allowList?: readonly string[] | undefined
  /** Counts the requests of keys that have a rate limit; in the memory of this process by default. */
  readonly counters?: Counters | undefined
  /**
   * Whether tokens may be made although no secret that is given here is in use in the store; false by default. It is
   * for a secret that was lost.
   */
  readonly allowNewSecret?: boolean | undefined
  /** The scopes that your routes ask for. A key has some of them, or `*`, which stands for them all. */
  readonly scopes: readonly S[]
  /** How many tokens are remembered; 10,000 by default, about 4 MB. */
  readonly cacheSize?: number | undefined
  /**
   * Is called when usage can't be stored, once until it can be; what was not stored is kept, and tried again. By
   * default, the process emits a warning.
   */
  readonly onUsageFailure?: ((error: unknown) => void) | undefined
}

/** Who changes a key, for the audit trail. What an actor may do is for your service to decide. */
export interface ChangeContext {
  /** The operator of the process by default. */
  readonly actor?: Actor | undefined
  readonly address?: string | undefined
  readonly requestId?: string | undefined
}

/** The keys of a service; `S` are its scopes. A change is one transaction, with an entry in the audit trail. */
export interface ClientKeys<S extends string = string> {
  readonly scopes: readonly S[]
  /**
   * Makes a key. Its `keyAccessToken` is in this answer and nowhere else. Throws InvalidFields, ClientKeyNameTaken, and
   * SECRET_NOT_SHARED where the store is in use with other secrets.
   */
  issue: (wanted: WantedKey<S | typeof UNSCOPED>, context?: ChangeContext) => Promise<Issued>
  /**
   * Gives a key a new token; the older ones expire after `graceSeconds`, by default a day. Throws ClientKeyRevoked, and
   * SECRET_NOT_SHARED as `issue` does.
   */
  rotate: (
    id: string,
    rotation?: { readonly graceSeconds?: number | undefined },
    context?: ChangeContext
  ) => Promise<Issued & { older: readonly TokenRecord[] }>
  /** Throws InvalidFields, ClientKeyRevoked, ClientKeyNameTaken. */
  change: (id: string, change: KeyChange<S | typeof UNSCOPED>, context?: ChangeContext) => Promise<ClientKeyRecord>
  /** Revokes a key permanently, from the next request on. */
  revoke: (id: string, reason?: string | null, context?: ChangeContext) => Promise<ClientKeyRecord>
  /** Throws ClientKeyNotFound, as each verb does that takes an id. */
  find: (id: string) => Promise<ClientKeyRecord>
  /** Keys in the order of their ids; by default the first hundred of all, at most a thousand. */
  list: (filter?: ClientKeyFilter, page?: KeyPage) => Promise<{ keys: ClientKeyRecord[]; more: boolean }>
  /** The newest hundred tokens of a key, the newest first. */
  tokens: (id: string) => Promise<readonly TokenRecord[]>
  /** How a key was used in the last days, today included; 90 are kept. */
  usage: (id: string, days?: number) => Promise<UsageCount[]>
  /**
   * Decides whether a token may do what is demanded, records the use or the refusal of its key, and counts its rate
   * limit: see `Demand`. Rejects if the store fails, and with a TypeError for scopes that the service doesn't have;
   * never because of the token.
   */
  verify: <R extends string = never>(
    token: string | undefined,
    demand: Demand<R> & { readonly scopes: readonly S[] }
  ) => Promise<Verdict<R>>
  /** Records how keys are used, which the plugin does; flush it before the store is closed. */
  readonly recorder: UsageRecorder
}

/** How many keys a page has at most. */
const MAX_LIMIT = 1000

const OPERATOR: Actor = { kind: 'cli', id: 'operator', name: 'operator' }

const contextOf = ({ actor = OPERATOR, address, requestId }: ChangeContext = {}) => ({
  actor,
  address: address ?? null,
  requestId: requestId ?? null,
  principal: null
})

const warn = (): void => {
  process.emitWarning('the use of client keys could not be stored; it is kept for the next time')
}

/** Creates the service of client keys of any program, on a store of its choice. */
export const createClientKeys = <const S extends string>({
  allowNewSecret: allowNew = false,
  onUsageFailure = warn,
  ...options
}: ClientKeysOptions<S>): ClientKeys<S> => {
  checkTokenSecrets(options)
  const { store, scopes, secret, previousSecrets = [] } = options
  if (!Array.isArray(scopes)) throw new TypeError('scopes must be an array of the scopes of your service')
  const checkSecrets = checkOfLibrary({ generations: generationsOf(secret, previousSecrets), allowNew })
  const recorder = createUsageRecorder({ write: createUsageWriter(store), onFailure: onUsageFailure })
  const service = createKeyService({ ...options, keyLookup: store.keyLookup, usage: recorder, checkSecrets })
  return {
    scopes,
    recorder,
    ...changesOf(service),
    ...readsOf(service, recorder),
    verify: checkedVerify(service.verify, scopes)
  }
}

const changesOf = <S extends string>(
  service: KeyService<S>
): Pick<ClientKeys<S>, 'issue' | 'rotate' | 'change' | 'revoke'> => ({
  issue: async (wanted, context) => await service.issue(checkedWanted(wanted), contextOf(context)),

  rotate: async (id, { graceSeconds = DEFAULT_GRACE_SECONDS } = {}, context) => {
    if (!Number.isInteger(graceSeconds) || graceSeconds < 0 || graceSeconds > MAX_GRACE_SECONDS) {
      throw new InvalidFields({ errors: [`graceSeconds must be an integer from 0 to ${MAX_GRACE_SECONDS}`] })
    }
    return await service.rotate(id, { graceSeconds }, contextOf(context))
  },

  change: async (id, change, context) => (await service.change(id, checkedChange(change), contextOf(context))).key,

  revoke: async (id, reason = null, context) => {
    refuseBadReason(reason)
    refuseCredentials({ reason })
    return (await service.revoke(id, reason, contextOf(context))).key
  }
})

/** Throws InvalidFields for a number that is no integer from 1 to a maximum. */
const refuseOutside = (name: string, value: number, max: number): void => {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new InvalidFields({ errors: [`${name} must be an integer from 1 to ${max}`] })
  }
}

// What is told of use holds what was recorded until now.
const readsOf = (
  service: Pick<KeyService, 'find' | 'list' | 'tokens' | 'usage'>,
  recorder: UsageRecorder
): Pick<ClientKeys, 'find' | 'list' | 'tokens' | 'usage'> => {
  const settled = async <T>(read: () => Promise<T>): Promise<T> => {
    await recorder.settle()
    return await read()
  }
  return {
    find: async id => await settled(async () => await service.find(id)),
    list: async (filter = {}, page = { limit: 100 }) => {
      refuseOutside('limit', page.limit, MAX_LIMIT)
      return await settled(async () => await service.list(filter, page))
    },
    tokens: async id =>
      await settled(async () => {
        await service.find(id)
        return await service.tokens(id)
      }),
    usage: async (id, days = DAYS_KEPT) => {
      refuseOutside('days', days, DAYS_KEPT)
      return await settled(async () => await service.usage(id, days))
    }
  }
}

/** The same as `Verify`, of a token that may be missing. */
export type CheckedVerify = <R extends string = never>(
  token: string | undefined,
  demand: Demand<R>
) => Promise<Verdict<R>>

/** What a program without types may pass. */
type Unchecked = Readonly<Record<'scopes' | 'address' | 'userAgent' | 'refusal', unknown>>

const isOptionalText = (value: unknown): boolean => value === undefined || (typeof value === 'string' && value !== '')

const textOrNone = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/**
 * Creates a verification for programs without types: what is missing or misspelled accepts nothing, and nothing that is
 * not text is recorded. It rejects with a TypeError for scopes that the service doesn't have, and for a reason that is
 * no text.
 */
export const checkedVerify =
  (verify: Verify, scopes: readonly string[]): CheckedVerify =>
  async (token, demand) => {
    const { scopes: demanded, address, userAgent, refusal } = demand as Partial<Unchecked>
    if (!Array.isArray(demanded) || !demanded.every(scope => scopes.includes(String(scope)))) {
      throw new TypeError(`scopes must be an array of scopes of the service: ${scopes.join(', ')}`)
    }
    if (!isOptionalText(refusal)) throw new TypeError('refusal must be text, or left out')
    return await verify(textOrNone(token) ?? '', {
      ...demand,
      address: textOrNone(address),
      userAgent: textOrNone(userAgent)
    })
  }
