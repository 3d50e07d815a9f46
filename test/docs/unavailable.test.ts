import { test } from 'tap'
import { DomainError } from '../../domain/domain-error.ts'
import * as domainErrors from '../../domain/errors.ts'
import * as httpErrors from '../../http/errors.ts'
import { toDocument } from '../../http/problems.ts'
import { pageOf, rowsOf } from './markdown.ts'

/** Every failure that has a reply of its own. */
const problems = Object.values({ ...domainErrors, ...httpErrors })
  .filter(kind => typeof kind === 'function' && kind.prototype instanceof DomainError)
  .map(kind => toDocument(new (kind as typeof domainErrors.NotReady)() as never, { requestId: 'x' }))

test('the page for operators tells of each code of a 503, and of no other', async t => {
  const codes = problems.filter(({ status }) => status === 503).map(({ code }) => code)
  const rows = rowsOf(pageOf('docs/operating/monitoring.md'))
  const told = rows.filter(cells => cells.length === 4).flatMap(([cell = '']) => /^`([A-Z_]+)`$/.exec(cell)?.[1] ?? [])
  t.same(told.sort(), codes.sort())
  t.ok(codes.length > 5)
})
