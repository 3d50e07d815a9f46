import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Locator, Page, Request, Response } from 'playwright-core'
import tap from 'tap'
import type { Test } from 'tap'

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const executablePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap(folder => ['chromium', 'chromium-browser', 'google-chrome'].map(name => join(folder, name)))
  .find(isExecutable)

/** The reason for skipping tests of pages, or false if Chromium is installed. */
export const skip = executablePath === undefined ? 'there is no Chromium here' : false

// By default, Chromium sends requests to its vendor's hosts, but these tests must work without a network.
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

let browser: Promise<Browser> | undefined
tap.teardown(async () => {
  await (await browser)?.close()
})

/** Opens a page in a new browser context, which shares no data with other tests, and collects the page's errors. */
export const newPage = async (t: Test): Promise<{ page: Page; issues: string[] }> => {
  browser ??= chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args })
  const context = await (await browser).newContext({ viewport: { width: 1280, height: 1400 } })
  t.teardown(() => context.close())
  // Disables timeouts, because the machine may be slow. tap ends a test that never finishes.
  context.setDefaultTimeout(0)
  const page = await context.newPage()
  const issues: string[] = []
  page.on('console', message => {
    if (message.type() === 'error') issues.push(message.text())
  })
  page.on('pageerror', error => {
    issues.push(error.message)
  })
  return { page, issues }
}

/** Enters a client key in the page's Authorize dialog. */
export const authorize = async (page: Page, token: string): Promise<void> => {
  await page.getByRole('button', { name: 'Authorize' }).click()
  await page.locator('.auth-container input').first().fill(token)
  await page
    .locator('.auth-container')
    .getByRole('button', { name: 'Apply credentials' })
    .or(page.locator('.auth-btn-wrapper button[type=submit]'))
    .first()
    .click()
  await page.locator('.auth-btn-wrapper .btn-done').first().click()
}

/** Opens an operation's form. */
export const open = async (page: Page, tag: string, operationId: string): Promise<Locator> => {
  const operation = page.locator(`[id="operations-${tag}-${operationId}"]`)
  await operation.locator('.opblock-summary-control').click()
  await operation.locator('button.execute').waitFor()
  return operation
}

/** Submits an operation's form. Returns the request and its response. */
export const execute = async (page: Page, operation: Locator): Promise<{ request: Request; response: Response }> => {
  const [response] = await Promise.all([
    page.waitForResponse(each => !each.url().includes('/docs')),
    operation.locator('button.execute').click()
  ])
  return { request: response.request(), response }
}
