import { test } from 'tap'
import { at, SAMPLE_PASSWORD, world } from '../helper.ts'
import { codeIn, pageOf, rowsOf } from './markdown.ts'

const rows = rowsOf(pageOf('docs/api.md'))
const rowsOfUsers = rowsOf(pageOf('docs/api/users.md'))

test('the API guide documents every route, and no other routes', async t => {
  const { call } = await world(t)
  const { paths } = (await call('GET', '/docs/json')).json as { paths: Record<string, Record<string, unknown>> }
  const served = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`)
  )
  const documented = rows.flatMap(([cell = '']) => codeIn(cell).filter(code => /^[A-Z]+ \//.test(code)))
  t.same([...new Set(documented)].sort(), served.sort())
})

test('each user in the sample data can read the number of apps that the API guide specifies', async t => {
  const { call } = await world(t)
  t.equal((await call('GET', '/apps')).json.length, countOf('a client key'))
  for (const email of ['ada@example.com', 'ben@example.com', 'chiara@example.com', 'dmitri@example.com']) {
    const { headers } = await call('POST', '/auth/sign_in', { email, password: SAMPLE_PASSWORD }, NO_CREDENTIAL)
    const apps = await call('GET', '/apps', undefined, { authorization: String(headers['authorization']) })
    t.equal(apps.json.length, countOf(email), email)
  }
})

const NO_CREDENTIAL = { authorization: '' }

/** Returns the number of apps that the guide specifies for a principal. */
const countOf = (principal: string): number => {
  const [, apps = ''] = at(rowsOfUsers.filter(([who = '']) => who.replaceAll('`', '').startsWith(principal)))
  return Number.parseInt(apps, 10)
}
