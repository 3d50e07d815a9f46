import { SAMPLE_PASSWORD } from '../../db/sample.ts'
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
