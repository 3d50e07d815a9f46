import { test } from 'tap'
import { checked, excesses } from '../../http/validation.ts'
import { fieldIssues } from '../../http/validation-issues.ts'
import type { Issue } from '../../http/validation-issues.ts'

const sentences = (issues: readonly Issue[]): string[] => fieldIssues(issues).map(({ detail }) => detail)

const faultsOf = (schema: object, value: unknown): unknown => {
  try {
    return checked(schema, value)
  } catch (error) {
    return (error as { errors: string[] }).errors
  }
}

test("a violated rule without its own message is reported with the validator's message", async t => {
  const properties = {
    list: { type: 'array', items: { type: 'integer' }, uniqueItems: true },
    text: { type: 'string', pattern: '^a$' },
    what: { const: 1 },
    address: { type: 'string', format: 'email' }
  }
  t.same(faultsOf({ type: 'object', properties }, { list: [1, 1], text: 'b', what: 2, address: 'c' }), [
    'list must NOT have duplicate items (items ## 1 and 0 are identical)',
    'text must match pattern "^a$"',
    'what must be equal to constant',
    'address must be an e-mail address, such as ada@example.com'
  ])
  t.same(faultsOf({ type: 'object', maxProperties: 1 }, { a: 1, b: 2 }), [
    'the body must NOT have more than 1 properties'
  ])
  t.same(sentences([{ keyword: 'new', instancePath: '/a/b', params: {} }]), ['a.b is not valid'])
})

test('a value that is checked separately is subject to the same limits', async t => {
  const deep = JSON.parse(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`) as unknown
  const schema = { type: 'object', properties: { anything: { type: 'object' } } }
  t.same(faultsOf(schema, { anything: deep }), ['anything must not be nested more than 100 levels deep'])
  t.same(faultsOf(schema, { anything: {} }), { anything: {} })
})

test('strings that are too long, lists that are too large and objects that are too deep are detected before the validator runs', async t => {
  const text = { type: 'string', maxLength: 10, pattern: '^never$' }
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      text,
      list: { type: 'array', maxItems: 3, items: text },
      anything: { type: 'object' },
      inner: { type: 'object', additionalProperties: false, properties: { text } }
    }
  }
  const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`) as unknown
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, 1]))
  const long = 'x'.repeat(21)
  t.same(
    sentences(excesses(schema, { text: long, list: ['x', long], anything: deep, inner: { text: long, more: 1 } })),
    [
      'text must have at most 10 characters',
      'list.1 must have at most 10 characters',
      'anything must not be nested more than 100 levels deep',
      'inner.text must have at most 10 characters'
    ]
  )
  t.same(
    sentences(
      excesses(schema, { text: 'a\0b', list: ['x', '\0'], anything: { a: [{ b: '\0' }] }, inner: { text: '\0' } })
    ),
    ['text', 'list.1', 'anything', 'inner.text'].map(path => `${path} must not contain the character U+0000`)
  )
  t.same(
    sentences(excesses(schema, { anything: { 'a\0': 1 } })),
    ['anything must not contain the character U+0000'],
    'property names are checked too'
  )
  t.same(sentences(excesses({ type: 'string' }, '\0')), ['the body must not contain the character U+0000'])
  t.match(sentences(excesses({ type: 'string' }, '\ud800')), [/^the body must not contain an unpaired surrogate/])
  t.same(sentences(excesses(schema, { list: ['x', 'x', 'x', long] })), ['list must have at most 3 entries'])
  t.same(sentences(excesses(schema, { ...many, text: long })), [
    'the request contains an unknown field; known fields are text, list, anything, inner'
  ])
  t.same(sentences(excesses(schema, { inner: many })), ['inner contains an unknown field; known fields are text'])
  t.same(excesses(schema, { text: 'x'.repeat(20), list: [1, null], anything: [deep] }), [])
})
