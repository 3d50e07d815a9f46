import { setImmediate as nextTurn } from 'node:timers/promises'
import { SAMPLE_PASSWORD } from '../../db/sample.ts'
import type { PasswordHasher } from '../../domain/users/passwords.ts'
import type { World } from '../helper.ts'

/** Signs a user of the sample in, by the first part of the address, and answers what calls as that user. */
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

const KEPT_WAITING = 12

/** Keeps passwords waiting for their turn; answers a function that waits until so many others wait among them. */
export const keepWaiting = ({ hash, waiting }: PasswordHasher): ((others: number) => Promise<void>) => {
  let mine = 0
  const fill = (): void => {
    const missing = KEPT_WAITING - mine
    mine += missing
    for (let i = 0; i < missing; i++) {
      void hash('to keep the others waiting').then(() => {
        mine--
      })
    }
  }
  fill()
  const atATime = mine - waiting()
  return async others => {
    while (waiting() + atATime - mine < others) {
      fill()
      await nextTurn()
    }
  }
}
