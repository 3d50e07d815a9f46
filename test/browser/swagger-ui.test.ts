import { test } from 'tap'
import { listening, world } from '../helper.ts'
import { authorize, execute, newPage, open, skip } from './page.ts'

test('Swagger UI can be authorized with a token, and can then send GET /apps', { skip }, async t => {
  const { fastify, key } = await world(t)
  const port = await listening(fastify)
  const { page, issues } = await newPage(t)
  await page.goto(`http://127.0.0.1:${port}/docs`)

  await authorize(page, key.keyAccessToken)

  const operation = await open(page, 'Apps', 'listApps')
  const { request } = await execute(page, operation)
  t.equal(new URL(request.url()).searchParams.get('limit'), '20', 'the form requests one page, not all apps')
  const live = operation.locator('.live-responses-table')
  await live.waitFor()
  t.equal((await live.locator('.response-col_status').nth(1).innerText()).trim().split(/\s/)[0], '200')
  const shown = await live.innerText()
  t.match(shown, 'Invoice Sync')
  t.match(shown, '"owner_type": "User"')
  t.same(issues, [], 'the content security policy blocks nothing that the page needs')
})
