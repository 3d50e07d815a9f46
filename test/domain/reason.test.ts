import { test } from 'tap'
import { FreshnessLost, ServiceUnavailable } from '../../domain/errors.ts'
import { reasonOf } from '../../domain/reason.ts'

test('the reason for a failure consists of the messages of its causes, with the code of the last one', async t => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
  const missing = Object.assign(new Error('relation "nodes" does not exist'), { code: '42P01' })
  const lost = new Error('the connection is lost', { cause: new AggregateError([refused, refused]) })
  t.equal(reasonOf(new ServiceUnavailable({ cause: missing })), 'relation "nodes" does not exist (42P01)')
  t.equal(
    reasonOf(new FreshnessLost({ cause: new ServiceUnavailable({ cause: lost }) })),
    'the connection is lost: connect ECONNREFUSED 127.0.0.1:1',
    'repeated messages are left out'
  )
  t.equal(reasonOf(new ServiceUnavailable()), null)
  t.equal(reasonOf(new Error('out of the blue', { cause: missing })), null)
})
