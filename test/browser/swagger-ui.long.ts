import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { listening, world } from '../helper.ts'
import { newPage, skip } from './page.ts'

test('without a token, Swagger UI shows the problem document', { skip }, async t => {
  const { fastify } = await world(t)
  const port = await listening(fastify)
  const { page } = await newPage(t)
  await page.goto(`http://127.0.0.1:${port}/docs`)
  const operation = page.locator('#operations-Apps-listApps')
  await operation.locator('.opblock-summary-control').click()
  await operation.locator('button.execute').click()
  const live = operation.locator('.live-responses-table')
  await live.waitFor()
  t.match(await live.innerText(), 'CREDENTIAL_REQUIRED')
})

test(
  "the page has this API's title, offers no other documents, and lists sign-in before sign-out",
  { skip },
  async t => {
    const { fastify } = await world(t)
    const { page } = await newPage(t)
    await page.goto(`http://127.0.0.1:${await listening(fastify)}/docs`)
    await page.locator('.info .title').waitFor()
    t.match(await page.title(), 'Trivial API')
    t.match(await page.locator('.info .title').innerText(), 'Trivial API')
    t.equal(await page.locator('.topbar').count(), 0)

    const paths = page.locator('[id="operations-tag-Signing_in"]').locator('..').locator('.opblock-summary-path')
    await paths.first().waitFor()
    const listed = (await paths.allInnerTexts()).map(path => path.replaceAll('\u200b', ''))
    t.equal(listed[0], '/auth/sign_in')
    t.ok(listed.indexOf('/auth/sign_out') > 0)
  }
)

test("a page on another site can't read a response, even with a token", { skip }, async t => {
  const { fastify, key } = await world(t)
  const port = await listening(fastify)
  const other = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<title>other</title>')
  }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => {
    other.close()
  })
  const { page } = await newPage(t)
  await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)
  const reached: unknown = await page.evaluate(
    `fetch('http://127.0.0.1:${port}/apps', { headers: { authorization: 'Bearer ${key.keyAccessToken}' } }).then(() => true, () => false)`
  )
  t.equal(reached, false)
})
