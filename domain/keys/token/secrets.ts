import { SecretNotShared } from '../../errors.ts'
import type { SecretState } from '../rows.ts'
import type { KeyTx } from '../store.ts'
import { generationOf } from './token.ts'

/** The generations of a process's secrets, the current one first. */
export type OwnGenerations = readonly [string, ...string[]]

export const generationsOf = (secret: string, previousSecrets: readonly string[]): OwnGenerations => {
  const current = generationOf(secret)
  return [current, ...new Set(previousSecrets.map(generationOf).filter(generation => generation !== current))]
}

/** The names of the settings that contain the secrets and allow new ones. */
interface SettingNames {
  readonly current: string
  readonly previous: string
  readonly allowNew: string
}

const VARIABLES: SettingNames = {
  current: 'CLIENT_SECRET',
  previous: 'CLIENT_SECRET_PREVIOUS',
  allowNew: 'ALLOW_NEW_SECRET=true'
}
const OPTIONS: SettingNames = { current: 'secret', previous: 'previousSecrets', allowNew: 'allowNewSecret' }

export interface Admission {
  readonly generations: OwnGenerations
  /** Whether the process may start even if none of its secrets is in use. */
  readonly allowNew: boolean
  readonly names?: SettingNames
}

/** Transactional access to the rows against which a process's secrets are checked. */
export type SecretTx = Pick<KeyTx, 'keys' | 'now'>

/**
 * Checks whether a token that was sealed with the current secret may be stored. Must be called in the transaction that
 * stores the token. Returns true if every running node can open the token. Throws SecretNotShared if the secret isn't
 * in use in the store.
 */
export type CheckSecrets = (tx: SecretTx) => Promise<boolean>

/**
 * Returns the generations that are in use: those of the process that started last, and those of every running node. If
 * none have been recorded, for example after an upgrade, returns the generations that active tokens depend on.
 */
const generationsInUse = async (
  { keys, now }: SecretTx,
  { recorded, nodes }: SecretState
): Promise<readonly string[]> => {
  const known = [...new Set([...recorded, ...nodes.flat()])]
  return known.length > 0 ? known : await keys.otherGenerations([], now())
}

/** Throws SecretNotShared if any generations are in use, but none of the process's own are. */
const refuseOtherSecrets = (
  own: readonly string[],
  used: readonly string[],
  messageFor: (list: string) => string
): void => {
  if (used.length === 0 || own.some(generation => used.includes(generation))) return
  throw new SecretNotShared({ message: messageFor(used.join(', ')) })
}

const processMessage =
  (generations: OwnGenerations, { current, previous, allowNew }: SettingNames) =>
  (used: string): string =>
    `${current}: the database is in use with other secrets. Their generations are ${used}, but the generations ` +
    `configured here are ${generations.join(', ')}. Set ${current} to the secret in use; to replace that secret, ` +
    `move it to ${previous}. If the secret in use is lost, start once with ${allowNew}; the tokens that it sealed ` +
    'will still be refused.'

const commandMessage =
  ([current]: OwnGenerations) =>
  (used: string): string =>
    "CLIENT_SECRET: no token was created, because the service would refuse it. The secret's generation is " +
    `${current}, but the generations in use are ${used}. Run the command with the CLIENT_SECRET of the service. To ` +
    'replace that secret, start the service with the new one first.'

/**
 * Admits a process that is starting if one of its secrets is in use, or if none is in use yet, and records its
 * generations. If two processes with different secrets start on an empty database at the same time, only one of them is
 * admitted. Throws SecretNotShared.
 */
export const admitProcess = async (
  tx: SecretTx,
  { generations, allowNew, names = VARIABLES }: Admission
): Promise<SecretState> => {
  const state = await tx.keys.secretState()
  const used = allowNew ? [] : await generationsInUse(tx, state)
  refuseOtherSecrets(generations, used, processMessage(generations, names))
  const isRecorded =
    state.recorded.length === generations.length && generations.every(generation => state.recorded.includes(generation))
  // Nothing is written if nothing has changed, so that a process can start even if the disk is full.
  if (!isRecorded) await tx.keys.recordGenerations(generations, tx.now())
  return state
}

/**
 * Returns whether two processes can open each other's tokens. Returns true if the other process's generations aren't
 * known.
 */
export const areMutual = (own: OwnGenerations, [current, ...previous]: readonly string[]): boolean =>
  current === undefined || (own.includes(current) && [current, ...previous].includes(own[0]))

const canAllOpen = ({ nodes }: SecretState, [current]: OwnGenerations): boolean =>
  nodes.every(generations => generations.includes(current))

/** Creates the check for a service, which was already admitted when it started. */
export const checkOfService =
  (generations: OwnGenerations): CheckSecrets =>
  async ({ keys }) =>
    canAllOpen(await keys.secretState(), generations)

/**
 * Creates the check for a command. A command can't introduce a new secret, because the running service wouldn't have
 * it. However, it may record the first generations if no process has recorded any.
 */
export const checkOfCommand =
  (generations: OwnGenerations): CheckSecrets =>
  async tx => {
    const state = await tx.keys.secretState()
    if (state.recorded.length === 0) await admitProcess(tx, { generations, allowNew: false })
    else refuseOtherSecrets(generations.slice(0, 1), await generationsInUse(tx, state), commandMessage(generations))
    return canAllOpen(state, generations)
  }

/** Creates the check for the library. A service that uses the library is admitted when it creates its first token. */
export const checkOfLibrary =
  (admission: Omit<Admission, 'names'>): CheckSecrets =>
  async tx =>
    canAllOpen(await admitProcess(tx, { ...admission, names: OPTIONS }), admission.generations)
