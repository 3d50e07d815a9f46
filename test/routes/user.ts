import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PasswordHasher } from '../../domain/users/passwords.ts'
import { SAMPLE_PASSWORD } from '../helper.ts'
import type { World } from '../helper.ts'

/**
 * Signs in a user from the sample data, identified by the first part of the address. Returns a function that sends
 * requests as the user.
 */
export const signIn = async (
  { fastify, call }: World,
  who: string,
  password = SAMPLE_PASSWORD
): Promise<World['call']> => {
  const { statusCode, headers, payload } = await fastify.inject({
    method: 'POST',
    url: '/auth/sign_in',
    payload: { email: `${who}@example.com`, password }
  })
  if (statusCode !== 200) throw new Error(`${statusCode} ${payload}`)
  return async (method, url, body, more = {}) =>
    await call(method, url, body, { ...more, authorization: String(headers['authorization']) })
}

const QUEUED_PASSWORDS = 12

/** Fills the password queue. No other password may be in progress when this function is called. */
export const fillPasswordQueue = ({ hash, waiting }: PasswordHasher) => {
  const mine = new Set<Promise<unknown>>()
  const fill = (): void => {
    for (let missing = QUEUED_PASSWORDS - mine.size; missing > 0; missing--) {
      const hashing: Promise<unknown> = hash('a password that occupies the queue').then(() => mine.delete(hashing))
      mine.add(hashing)
    }
  }
  fill()
  const atATime = mine.size - waiting()
  return {
    /** Waits until `others` other passwords are in the queue. */
    othersWait: async (others: number): Promise<void> => {
      while (waiting() + atATime - mine.size < others) {
        fill()
        await nextTurn()
      }
    },
    /** Waits until none of these passwords is in the queue. */
    over: async (): Promise<void> => {
      await Promise.all(mine)
    }
  }
}
