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

/** What the secrets, and what allows new ones, are called where a process is configured. */
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
  /** Whether the process may start although none of its secrets is in use. */
  readonly allowNew: boolean
  readonly names?: Names
}

/** The transaction in which secrets are compared. */
export type SecretTx = Pick<KeyTx, 'keys' | 'now'>

/**
 * Decides, in the transaction that stores a token of the current secret, whether the token may be stored: true where
 * every node that runs can open it. Throws SecretNotShared where the secret is not one of this store.
 */
export type CheckSecrets = (tx: SecretTx) => Promise<boolean>

/**
 * The generations that are in use: those of the last process to start, and of every node that runs. Where nothing tells
 * those, as after an upgrade, the ones that active tokens depend on.
 */
const generationsInUse = async (
  { keys, now }: SecretTx,
  { recorded, nodes }: SecretState
): Promise<readonly string[]> => {
  const known = [...new Set([...recorded, ...nodes.flat()])]
  return known.length > 0 ? known : await keys.otherGenerations([], now())
}

/** Throws SecretNotShared where there are generations in use, and these are not among them. */
const refuseStranger = (own: readonly string[], used: readonly string[], textOf: (list: string) => string): void => {
  if (used.length === 0 || own.some(generation => used.includes(generation))) return
  throw new SecretNotShared({ message: textOf(used.join(', ')) })
}

const processText =
  (generations: OwnGenerations, { current, previous, allowNew }: Names) =>
  (used: string): string =>
    `${current}: the database is in use with other secrets. They are of the generations ${used}, and those that are ` +
    `configured here of ${generations.join(', ')}. Set ${current} to the secret in use; to replace it, keep it in ` +
    `${previous}. If it is lost, start once with ${allowNew}: the tokens that it sealed stay refused.`

const commandText =
  ([current]: OwnGenerations) =>
  (used: string): string =>
    `CLIENT_SECRET: no token was made, since the service would refuse it. The secret here is of the generation ` +
    `${current}, and those in use are of ${used}. Run the command with the CLIENT_SECRET of the service. To replace ` +
    'that, start the service with the new one first.'

/**
 * Admits a process that starts: one of its secrets is in use, or none is. Then its own are recorded. Of two that start
 * at once on an empty database with different secrets, one is too late. Throws SecretNotShared.
 */
export const admitProcess = async (
  tx: SecretTx,
  { generations, allowNew, names = VARIABLES }: Admission
): Promise<SecretState> => {
  const state = await tx.keys.secretState()
  const used = allowNew ? [] : await generationsInUse(tx, state)
  refuseStranger(generations, used, processText(generations, names))
  const isRecorded =
    state.recorded.length === generations.length && generations.every(generation => state.recorded.includes(generation))
  // A start that changes nothing also succeeds on a full disk.
  if (!isRecorded) await tx.keys.recordGenerations(generations, tx.now())
  return state
}

/** Whether two processes open each other's tokens. Of a node that does not tell its generations, nothing is known. */
export const areMutual = (own: OwnGenerations, [current, ...previous]: readonly string[]): boolean =>
  current === undefined || (own.includes(current) && [current, ...previous].includes(own[0]))

const isOpenedByAll = ({ nodes }: SecretState, [current]: OwnGenerations): boolean =>
  nodes.every(generations => generations.includes(current))

/** The check of a service, which was admitted when it started. */
export const checkOfService =
  (generations: OwnGenerations): CheckSecrets =>
  async ({ keys }) =>
    isOpenedByAll(await keys.secretState(), generations)

/**
 * The check of a command. It brings no new secret, which the service that runs beside it would not have; but where no
 * process has recorded its secrets yet, it is the first.
 */
export const checkOfCommand =
  (generations: OwnGenerations): CheckSecrets =>
  async tx => {
    const state = await tx.keys.secretState()
    if (state.recorded.length === 0) await admitProcess(tx, { generations, allowNew: false })
    else refuseStranger(generations.slice(0, 1), await generationsInUse(tx, state), commandText(generations))
    return isOpenedByAll(state, generations)
  }

/** The check of the keys of another service, which starts with the first token that it makes. */
export const checkOfLibrary =
  (admission: Omit<Admission, 'names'>): CheckSecrets =>
  async tx =>
    isOpenedByAll(await admitProcess(tx, { ...admission, names: OPTIONS }), admission.generations)
