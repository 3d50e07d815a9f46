import type { Test } from 'tap'
import { CALLS } from '../domain/access/matrix/calls.ts'
import { expectedStatus, operationsOf, requestsOf, send } from '../domain/access/matrix/matrix.ts'
import type { Received, Request } from '../domain/access/matrix/matrix.ts'
import { compareRows } from '../domain/access/matrix/rows.ts'
import type { RowComparison } from '../domain/access/matrix/rows.ts'
import { createFixture } from '../domain/access/matrix/senders.ts'
import type { Fixture, Sender } from '../domain/access/matrix/senders.ts'
import { at, required } from '../helper.ts'

/** A service, and a successful request for each operation. */
export interface Service {
  readonly fixture: Fixture
  readonly rows: RowComparison
  readonly requests: readonly { readonly sender: Sender; readonly request: Request }[]
  /** The responses shared by several operations, indexed by reference. */
  readonly replies: Readonly<Record<string, object>>
}

export const createService = async (t: Test, env: Record<string, string>): Promise<Service> => {
  const fixture = await createFixture(t, env)
  const operations = await operationsOf(fixture)
  const senders = ['an unscoped key', 'the owner'].map(name =>
    required(
      fixture.senders.find(({ who }) => who === name),
      name
    )
  )
  const requests = Object.keys(CALLS).map(route =>
    at(
      senders.flatMap(sender =>
        requestsOf(operations, sender)
          .filter(request => request.route === route && expectedStatus(sender, request.call) < 300)
          .map(request => ({ sender, request }))
      )
    )
  )
  const { components } = (await fixture.made.call('GET', '/docs/json')).json as {
    components: { responses: Record<string, object> }
  }
  const replies = Object.fromEntries(
    Object.entries(components.responses).map(([name, reply]) => [`#/components/responses/${name}`, reply])
  )
  return { fixture, rows: await compareRows(fixture.db), requests, replies }
}

let address = 0

/** Sends a request from a new address, because login attempts are limited per address. */
export const sendOne = async (
  { fixture }: Service,
  { sender, request }: Service['requests'][number],
  other?: Parameters<typeof send>[4]
): Promise<Received> => {
  address++
  return await send(fixture, sender, request, `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`, other)
}

/**
 * Returns an issue if the OpenAPI document doesn't declare a status or code, or if a failure isn't a problem document.
 */
export const issuesOf = ({ replies }: Service, { operation }: Request, { status, type, text }: Received): string[] => {
  const declared = operation.responses[String(status)]
  const { code = 'no code' } = status < 400 ? {} : (JSON.parse(text) as { code?: string })
  if (declared === undefined) return [`the status ${status} is not declared: ${code}`]
  if (status < 400) return []
  if (!type.startsWith('application/problem+json;')) return [`${status} is ${type}`]
  const reply = replies[(declared as { $ref: string }).$ref]
  return JSON.stringify(reply).includes(`"${code}"`) ? [] : [`the code ${code} is not declared for ${status}`]
}
