import { availableParallelism } from 'node:os'
import fastq from 'fastq'
import { TooBusy } from '../errors.ts'
import { lazily } from '../lazy.ts'

/**
 * Argon2id, the library's default, with 19 MiB, two passes and one lane: the OWASP Password Storage Cheat Sheet's
 * current recommendation.
 */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** At most this many are hashed at a time, so that one processor is left to answer requests. */
const MAX_CONCURRENT = Math.max(1, Math.min(4, availableParallelism() - 1))
const MAX_WAITING = 100

const MIN_LENGTH = 12
const MAX_LENGTH = 128

/** Hashes and verifies passwords off the event loop. Both throw TooBusy where too many wait already. */
export interface PasswordHasher {
  readonly hash: (password: string) => Promise<string>
  /** Takes as long for a user without a hash, or for no user at all, as for a wrong password. */
  readonly verify: (hash: string | null, password: string) => Promise<boolean>
  /** How many wait for their turn. */
  readonly waiting: () => number
}

export const createPasswordHasher = (): PasswordHasher => {
  const queue = fastq.promise(async (work: () => Promise<void>) => {
    await work()
  }, MAX_CONCURRENT)

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (queue.length() >= MAX_WAITING) throw new TooBusy()
    return await new Promise<T>((resolve, reject) => {
      queue
        .push(async () => {
          resolve(await work())
        })
        .catch(reject)
    })
  }

  // The first password loads it, and no start has to wait for it.
  const argon2 = async () => await import('@node-rs/argon2')
  const hashNormalized = async (password: string): Promise<string> =>
    await (await argon2()).hash(normalized(password), PARAMETERS)
  const hashOfNobody = lazily(async () => await hashNormalized('nobody has this password'))

  return {
    waiting: () => queue.length(),
    hash: async password => await inTurn(async () => await hashNormalized(password)),
    verify: async (known, password) =>
      await inTurn(async () => {
        const nobody = await hashOfNobody()
        const isRight = await (await argon2()).verify(known ?? nobody, normalized(password))
        return isRight && known !== null
      })
  }
}

/** What is wrong with a new password, a sentence each. */
export const passwordIssues = async (
  password: string,
  { name, email }: { name: string; email: string }
): Promise<string[]> => {
  const { length } = Array.from(normalized(password))
  if (length < MIN_LENGTH) return [`password must have ${MIN_LENGTH} characters at least`]
  if (length > MAX_LENGTH) return [`password must have ${MAX_LENGTH} characters at most`]
  if (/[\p{Cc}\p{Cs}]/u.test(password)) {
    return ['password must be one line of well-formed text, without control characters']
  }
  const plain = normalized(password).toLowerCase()
  if (plain === email.toLowerCase() || plain === name.toLowerCase()) {
    return ['password must be other than the name and the e-mail address']
  }
  return (await isCommon(plain)) ? ['password is one of the commonest there are; choose another'] : []
}

// The same password, however the keyboard composes its characters.
const normalized = (password: string): string => password.normalize('NFKC')

// Read only if somebody sets a password: the list is large.
const commonest = lazily(async (): Promise<ReadonlySet<string>> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'])
})

const isCommon = async (password: string): Promise<boolean> => {
  const common = await commonest()
  // A common password is no better for being repeated, or for ending in digits or punctuation.
  const unrepeated = /^(.+?)\1+$/.exec(password)?.[1] ?? password
  const bare = password.replace(/[\d\W_]+$/, '')
  return [password, unrepeated, bare].some(word => common.has(word)) || new Set(password).size < 4
}
