import { availableParallelism } from 'node:os'
import fastq from 'fastq'
import { TooBusy } from '../errors.ts'

/**
 * Argon2id, the library's default, with 19 MiB, two passes and one lane: the OWASP Password Storage Cheat Sheet's
 * current recommendation.
 */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** So many are hashed at a time, so that one processor is left to answer with; so many wait at most. */
const AT_ONCE = Math.max(1, Math.min(4, availableParallelism() - 1))
const MOST_WAITING = 100

const MIN_LENGTH = 12
const MAX_LENGTH = 128

/** Hashes and verifies passwords off the event loop. Both throw TooBusy where too many wait already. */
export interface PasswordHasher {
  hash: (password: string) => Promise<string>
  /** Takes as long for a user without a hash, or for no user at all, as for a wrong password. */
  verify: (hash: string | null, password: string) => Promise<boolean>
  /** How many wait for their turn. */
  waiting: () => number
}

export const createPasswordHasher = (): PasswordHasher => {
  const turns = fastq.promise(async (work: () => Promise<void>) => {
    await work()
  }, AT_ONCE)

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (turns.length() >= MOST_WAITING) throw new TooBusy()
    return await new Promise<T>((resolve, reject) => {
      turns
        .push(async () => {
          resolve(await work())
        })
        .catch(reject)
    })
  }

  // The first password loads it, and no start has to wait for it.
  const argon2 = async () => await import('@node-rs/argon2')
  const hashNormal = async (password: string): Promise<string> =>
    await (await argon2()).hash(normal(password), PARAMETERS)
  let nobodys: Promise<string> | undefined

  return {
    waiting: () => turns.length(),
    hash: async password => await inTurn(async () => await hashNormal(password)),
    verify: async (known, password) =>
      await inTurn(async () => {
        nobodys ??= hashNormal('nobody has this password')
        const isRight = await (await argon2()).verify(known ?? (await nobodys), normal(password))
        return isRight && known !== null
      })
  }
}

/** What is wrong with a new password, a sentence each. */
export const passwordFaults = async (
  password: string,
  { name, email }: { name: string; email: string }
): Promise<string[]> => {
  const { length } = Array.from(normal(password))
  if (length < MIN_LENGTH) return [`password must have ${MIN_LENGTH} characters at least`]
  if (length > MAX_LENGTH) return [`password must have ${MAX_LENGTH} characters at most`]
  if (/[\p{Cc}\p{Cs}]/u.test(password)) {
    return ['password must be one line of well-formed text, without control characters']
  }
  const plain = normal(password).toLowerCase()
  if (plain === email.toLowerCase() || plain === name.toLowerCase()) {
    return ['password must be other than the name and the e-mail address']
  }
  return (await isCommon(plain)) ? ['password is one of the commonest there are; choose another'] : []
}

// The same password, however the keyboard composes its characters.
const normal = (password: string): string => password.normalize('NFKC')

// Read only where somebody sets a password: the list is large.
let commonest: Promise<ReadonlySet<string>> | undefined

const readCommonest = async (): Promise<ReadonlySet<string>> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'])
}

const isCommon = async (password: string): Promise<boolean> => {
  const common = await (commonest ??= readCommonest())
  // A short one is no better for being said again and again, or for ending in what all passwords end in.
  const once = /^(.+?)\1+$/.exec(password)?.[1] ?? password
  const bare = password.replace(/[\d\W_]+$/, '')
  return [password, once, bare].some(word => common.has(word)) || new Set(password).size < 4
}
