import { test } from 'tap'
import { SAMPLE_PASSWORD, world } from '../helper.ts'
import { signIn } from './user.ts'

const PASSWORD = 'seven green kettles'

test("failed sign-ins by others don't prevent a user from changing the password, and unknown addresses don't reset the limit", async t => {
  const made = await world(t)
  const attempt = async (email: string, remoteAddress: string, password = '') =>
    await made.fastify.inject({ method: 'POST', url: '/auth/sign_in', payload: { email, password }, remoteAddress })
  for (let i = 0; i < 101; i++) await attempt('ada@example.com', `203.0.113.${i % 10}`)
  t.equal((await attempt('ada@example.com', '198.51.100.1', SAMPLE_PASSWORD)).statusCode, 429)
  const flood = await Promise.all(
    Array.from(
      { length: 5100 },
      async (_, i) => await attempt(`x${i}@example.com`, `2001:db8:0:${(i % 102).toString(16)}::1`)
    )
  )
  t.equal(flood.filter(({ statusCode }) => statusCode === 429).length, 0)
  t.equal((await attempt('ada@example.com', '198.51.100.1', SAMPLE_PASSWORD)).statusCode, 429, 'still')

  const ben = await signIn(made, 'ben')
  for (let i = 0; i < 101; i++) await attempt('ben@example.com', `203.0.113.${i % 10}`)
  const change = async (current: string) =>
    await made.fastify.inject({
      method: 'PUT',
      url: '/profile/password',
      payload: { current_password: current, password: PASSWORD },
      remoteAddress: '198.51.100.2',
      headers: { authorization: bens }
    })
  const { json } = await ben('GET', '/profile/sessions')
  t.equal(json.length, 1)
  const { headers } = await attempt('ben@example.com', '127.0.0.1', SAMPLE_PASSWORD)
  const bens = String(headers['authorization'])
  for (let i = 0; i < 19; i++) t.equal((await change('wrong')).statusCode, 401)
  t.equal((await change(SAMPLE_PASSWORD)).statusCode, 204)
  const limited = await change(PASSWORD)
  t.equal(limited.statusCode, 429, 'a stolen session is limited too')
  t.match(limited.headers['retry-after'], /^\d+$/)
})
