import { SecretNotShared } from '../../errors.ts'
import type { SecretState } from '../rows.ts'
import type { KeyTx } from '../store.ts'
import { generationOf } from './token.ts'

/** The generations of the secrets of a process, the current one first. */
export type OwnGenerations = readonly [string, ...string[]]

export const generationsOf = (secret: string, previousSecrets: readonly string[]): OwnGenerations => {
  const current = generationOf(secret)
  return [current, ...new Set(previousSecrets.map(generationOf).filter(generation => generation !== current))]
}

/** The names of the settings that contain the secrets and allow new ones. */
interface Names {
  readonly current: string
  readonly previous: string
  readonly allowNew: string
}

const VARIABLES: Names = {
  current: 'CLIENT_SECRET',
  previous: 'CLIENT_SECRET_PREVIOUS',
  allowNew: 'ALLOW_NEW_SECRET=true'
}
const OPTIONS: Names = { current: 'secret', previous: 'previousSecrets', allowNew: 'allowNewSecret' }

export interface Admission {
  readonly generations: OwnGenerations
  /** Whether the process may start even if none of its secrets is in use. */
  readonly allowNew: boolean
  readonly names?: Names
}

/** The rows that secrets are compared with, in a transaction. */
export type SecretTx = Pick<KeyTx, 'keys' | 'now'>

/**
 * Decides whether a token that was sealed with the current secret may be stored. Must be called in the transaction that
 * stores it. Returns true if every running node can open the token. Throws SecretNotShared if the secret isn't one of
 * the store's secrets.
 */
export type CheckSecrets = (tx: SecretTx) => Promise<boolean>

/**
 * Returns the generations that are in use: those of the process that started last, and those of every running node. If
 * none are recorded, for example after an upgrade, returns the generations that active tokens depend on.
 */
const generationsInUse = async (
  { keys, now }: SecretTx,
  { recorded, nodes }: SecretState
): Promise<readonly string[]> => {
  const known = [...new Set([...recorded, ...nodes.flat()])]
  return known.length > 0 ? known : await keys.otherGenerations([], now())
}

/** Throws SecretNotShared if there are generations in use, but none of the given ones is among them. */
const refuseOtherSecrets = (
  own: readonly string[],
  used: readonly string[],
  textOf: (list: string) => string
): void => {
  if (used.length === 0 || own.some(generation => used.includes(generation))) return
  throw new SecretNotShared({ message: textOf(used.join(', ')) })
}

const processText =
  (generations: OwnGenerations, { current, previous, allowNew }: Names) =>
  (used: string): string =>
    `${current}: the database is in use with other secrets. Their generations are ${used}, but the generations ` +
    `configured here are ${generations.join(', ')}. Set ${current} to the secret in use; to replace that secret, ` +
    `move it to ${previous}. If the secret in use is lost, start once with ${allowNew}; the tokens that it sealed ` +
    'will still be refused.'

const commandText =
  ([current]: OwnGenerations) =>
  (used: string): string =>
    "CLIENT_SECRET: no token was created, because the service would refuse it. The secret's generation is " +
    `${current}, but the generations in use are ${used}. Run the command with the CLIENT_SECRET of the service. To ` +
    'replace that secret, start the service with the new one first.'

/**
 * Admits a starting process if one of its secrets is in use, or if no secret is in use, and records its generations. If
 * two processes with different secrets start on an empty database at the same time, only one is admitted. Throws
 * SecretNotShared.
 */
export const admitProcess = async (
  tx: SecretTx,
  { generations, allowNew, names = VARIABLES }: Admission
): Promise<SecretState> => {
  const state = await tx.keys.secretState()
  const used = allowNew ? [] : await generationsInUse(tx, state)
  refuseOtherSecrets(generations, used, processText(generations, names))
  const isRecorded =
    state.recorded.length === generations.length && generations.every(generation => state.recorded.includes(generation))
  // Nothing is written if nothing changes, so that the process can start even if the disk is full.
  if (!isRecorded) await tx.keys.recordGenerations(generations, tx.now())
  return state
}

/**
 * Returns whether two processes can open each other's tokens. Returns true for a node whose generations aren't known.
 */
export const areMutual = (own: OwnGenerations, [current, ...previous]: readonly string[]): boolean =>
  current === undefined || (own.includes(current) && [current, ...previous].includes(own[0]))

const isOpenedByAll = ({ nodes }: SecretState, [current]: OwnGenerations): boolean =>
  nodes.every(generations => generations.includes(current))

/** Creates the check for a service, which was already admitted when it started. */
export const checkOfService =
  (generations: OwnGenerations): CheckSecrets =>
  async ({ keys }) =>
    isOpenedByAll(await keys.secretState(), generations)

/**
 * Creates the check for a command. A command can't introduce a new secret, because the running service wouldn't have
 * it. However, it may record the first secrets if no process has done so.
 */
export const checkOfCommand =
  (generations: OwnGenerations): CheckSecrets =>
  async tx => {
    const state = await tx.keys.secretState()
    if (state.recorded.length === 0) await admitProcess(tx, { generations, allowNew: false })
    else refuseOtherSecrets(generations.slice(0, 1), await generationsInUse(tx, state), commandText(generations))
    return isOpenedByAll(state, generations)
  }

/** Creates the check for the library. The service that uses it is admitted when it creates its first token. */
export const checkOfLibrary =
  (admission: Omit<Admission, 'names'>): CheckSecrets =>
  async tx =>
    isOpenedByAll(await admitProcess(tx, { ...admission, names: OPTIONS }), admission.generations)
