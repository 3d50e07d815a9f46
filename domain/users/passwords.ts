import { availableParallelism } from 'node:os'
import fastq from 'fastq'
import { TooBusy } from '../errors.ts'
import { lazily } from '../lazy.ts'

/**
 * The parameters of Argon2id, the library's default algorithm: 19 MiB of memory, two iterations and one lane. The OWASP
 * Password Storage Cheat Sheet recommends these values.
 */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The maximum number of passwords that are hashed at the same time. Leaves one processor free for requests. */
const MAX_CONCURRENT = Math.max(1, Math.min(4, availableParallelism() - 1))
const MAX_WAITING = 100

const MIN_LENGTH = 12
const MAX_LENGTH = 128

/** Hashes and verifies passwords outside of the event loop. `hash` and `verify` throw TooBusy if the queue is full. */
export interface PasswordHasher {
  readonly hash: (password: string) => Promise<string>
  /** Verifies a password. If `hash` is null, this takes as long as it does for a wrong password. */
  readonly verify: (hash: string | null, password: string) => Promise<boolean>
  /** Returns the number of passwords that are waiting in the queue. */
  readonly waiting: () => number
}

export const createPasswordHasher = (): PasswordHasher => {
  const queue = fastq.promise(async (work: () => Promise<void>) => {
    await work()
  }, MAX_CONCURRENT)

  const enqueue = async <T>(work: () => Promise<T>): Promise<T> => {
    if (queue.length() >= MAX_WAITING) throw new TooBusy()
    return await new Promise<T>((resolve, reject) => {
      queue
        .push(async () => {
          resolve(await work())
        })
        .catch(reject)
    })
  }

  // Imported when the first password is hashed, so that it doesn't delay startup.
  const argon2 = async () => await import('@node-rs/argon2')
  const hashNormalized = async (password: string): Promise<string> =>
    await (await argon2()).hash(normalized(password), PARAMETERS)
  const placeholderHash = lazily(async () => await hashNormalized('nobody has this password'))

  return {
    waiting: () => queue.length(),
    hash: async password => await enqueue(async () => await hashNormalized(password)),
    verify: async (known, password) =>
      await enqueue(async () => {
        const placeholder = await placeholderHash()
        const isCorrect = await (await argon2()).verify(known ?? placeholder, normalized(password))
        return isCorrect && known !== null
      })
  }
}

/** Returns a sentence for each problem with a new password. */
export const passwordIssues = async (
  password: string,
  { name, email }: { name: string; email: string }
): Promise<string[]> => {
  const { length } = Array.from(normalized(password))
  if (length < MIN_LENGTH) return [`password must have at least ${MIN_LENGTH} characters`]
  if (length > MAX_LENGTH) return [`password must have at most ${MAX_LENGTH} characters`]
  if (/[\p{Cc}\p{Cs}]/u.test(password)) {
    return ['password must be a single line of well-formed text, without control characters']
  }
  const plain = normalized(password).toLowerCase()
  if (plain === email.toLowerCase() || plain === name.toLowerCase()) {
    return ['password must differ from the name and the e-mail address']
  }
  return (await isCommon(plain)) ? ['password is one of the most common ones; choose another'] : []
}

// Different keyboards may compose the same character differently.
const normalized = (password: string): string => password.normalize('NFKC')

// Imported when the first password is set, because the list is large.
const commonPasswords = lazily(async (): Promise<ReadonlySet<string>> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'])
})

const isCommon = async (password: string): Promise<boolean> => {
  const common = await commonPasswords()
  // Repeating a common password, or appending digits or punctuation to it, doesn't make it safer.
  const unrepeated = /^(.+?)\1+$/.exec(password)?.[1] ?? password
  const withoutSuffix = password.replace(/[\d\W_]+$/, '')
  return [password, unrepeated, withoutSuffix].some(word => common.has(word)) || new Set(password).size < 4
}
