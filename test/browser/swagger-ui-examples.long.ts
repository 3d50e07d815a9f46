import { test } from 'tap'
import { listening, required, world } from '../helper.ts'
import { filledIn } from '../http/examples.ts'
import { execute, newPage, open, skip } from './page.ts'

interface Document {
  paths: Record<string, Record<string, { operationId: string; tags: string[] }>>
}

/** One operation for each kind of form: with several, one or no examples of the body, and with different parameters. */
const KINDS = [
  'PATCH /client_keys/{id}',
  'POST /client_keys',
  'POST /users',
  'DELETE /apps/{id}/permission/{permit}/users/{user_id}',
  'GET /apps'
]

test("Swagger UI's forms contain the values that test/http/examples.test.ts sends", { skip }, async t => {
  const made = await world(t)
  const { paths } = (await made.call('GET', '/docs/json')).json as Document
  const requests = (await filledIn(made)).filter(({ operation }) => KINDS.includes(operation))
  t.equal(requests.length, KINDS.length)
  const base = `http://127.0.0.1:${await listening(made.fastify)}`
  const { page } = await newPage(t)
  await page.goto(`${base}/docs`)
  for (const { operation, method, path, query, body } of requests) {
    const [verb = '', route = ''] = operation.split(' ')
    const { operationId, tags } = required(paths[route]?.[verb.toLowerCase()], operation)
    const form = await open(page, String(tags[0]).replaceAll(' ', '_'), operationId)
    const { request } = await execute(page, form)
    t.equal(request.method(), method, operation)
    t.equal(request.url(), `${base}${path}${query === '' ? '' : `?${query}`}`, operation)
    t.same(JSON.parse(request.postData() ?? 'null'), body ?? null, operation)
    await form.locator('.opblock-summary-control').click()
  }
})
