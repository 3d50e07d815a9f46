import { test } from 'tap'
import { DomainError } from '../../domain/domain-error.ts'
import * as domainErrors from '../../domain/errors.ts'
import * as httpErrors from '../../http/errors.ts'
import { toDocument } from '../../http/problems.ts'
import { pageOf, rowsOf } from './markdown.ts'

/** The problem documents of all failures that have their own code. */
const problems = Object.values({ ...domainErrors, ...httpErrors })
  .filter(kind => typeof kind === 'function' && kind.prototype instanceof DomainError)
  .map(kind => toDocument(new (kind as typeof domainErrors.NotReady)() as never, { requestId: 'x' }))

test('the page for operators documents each error code with status 503, and no others', async t => {
  const codes = problems.filter(({ status }) => status === 503).map(({ code }) => code)
  const rows = rowsOf(pageOf('docs/operating/monitoring.md'))
  const documented = rows
    .filter(cells => cells.length === 4)
    .flatMap(([cell = '']) => /^`([A-Z_]+)`$/.exec(cell)?.[1] ?? [])
  t.same(documented.sort(), codes.sort())
  t.ok(codes.length > 5)
})
