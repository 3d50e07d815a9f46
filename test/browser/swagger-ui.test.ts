import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import { test } from 'tap'
import type { Test } from 'tap'
import { listening, temporaryFolder, world } from '../helper.ts'

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const executablePath = (process.env['PATH'] ?? '').split(delimiter)
  .flatMap(folder => ['chromium', 'chromium-browser', 'google-chrome'].map(name => join(folder, name))).find(isExecutable)

const skip = executablePath === undefined ? 'there is no Chromium here' : false

// Chromium of its own accord asks its maker's hosts for this and that; a test needs no network.
const args = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'
]

/** A page of a new browser, and whatever it complains of. */
const newPage = async (t: Test): Promise<{ page: Page, complaints: string[] }> => {
  const context = await chromium.launchPersistentContext(temporaryFolder(t), { ...executablePath === undefined ? {} : { executablePath }, args, viewport: { width: 1280, height: 1400 } })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', message => { if (message.type() === 'error') complaints.push(message.text()) })
  page.on('pageerror', error => { complaints.push(error.message) })
  return { page, complaints }
}

test('in Swagger UI one authorizes with a token and tries GET /apps out', { skip }, async t => {
  const { fastify, key } = await world(t)
  const port = await listening(fastify)
  const { page, complaints } = await newPage(t)
  await page.goto(`http://127.0.0.1:${port}/docs`)

  await page.getByRole('button', { name: 'Authorize' }).click()
  await page.locator('.auth-container input').first().fill(key.keyAccessToken)
  await page.locator('.auth-container').getByRole('button', { name: 'Apply credentials' }).or(page.locator('.auth-btn-wrapper button[type=submit]')).first().click()
  await page.locator('.auth-btn-wrapper .btn-done').first().click()

  const operation = page.locator('#operations-Apps-listApps')
  await operation.locator('.opblock-summary-control').click()
  await operation.locator('button.execute').click()
  const live = operation.locator('.live-responses-table')
  await live.waitFor()
  t.equal((await live.locator('.response-col_status').nth(1).innerText()).trim().split(/\s/)[0], '200')
  const shown = await live.innerText()
  t.match(shown, 'Invoice Sync')
  t.match(shown, '"owner_type": "User"')
  t.same(complaints, [], 'nothing that the content security policy forbids')
})

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

test('a page of another site gets nothing, though it has a token', { skip }, async t => {
  const { fastify, key } = await world(t)
  const port = await listening(fastify)
  const other = createServer((_request, response) => { response.setHeader('content-type', 'text/html').end('<title>other</title>') }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => { other.close() })
  const { page } = await newPage(t)
  await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)
  const reached: unknown = await page.evaluate(`fetch('http://127.0.0.1:${port}/apps', { headers: { authorization: 'Bearer ${key.keyAccessToken}' } }).then(() => true, () => false)`)
  t.equal(reached, false)
})
