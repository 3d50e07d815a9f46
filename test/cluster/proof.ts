import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createAuditService } from '../../domain/audits/service.ts'
import { execute } from '../postgres.ts'
import { send } from './node.ts'
import type { Node } from './node.ts'
import type { Workload } from './workload.ts'

/** Ends a workload, and checks that all responses were correct and that no acknowledged change was lost. */
export const finishWorkload = async (t: Test, { url, near, load }: { url: string; near: Node; load: Workload }) => {
  await load.stop()
  t.same(load.violations(), [], 'acknowledged changes applied to every later request')
  const { requests, accepted } = load.counts
  t.ok(accepted > 0 && accepted < requests, 'some requests were accepted, and some were not')
  t.comment(JSON.stringify(load.counts))

  const rows = (await execute(url, 'select epoch, nonce from client_key_changes')) as { epoch: string; nonce: string }[]
  const stored = new Set(rows.flatMap(({ epoch, nonce }) => [epoch, `${epoch}-${nonce}`]))
  t.same(
    load.receipts.filter(id => !stored.has(id)),
    [],
    'every acknowledged change is in the database'
  )
  const wrong: string[] = []
  for (const { token, allows } of load.known()) {
    const reply = await send(near, token, ['GET', '/apps?limit=1'])
    if ((reply?.status === 200) !== allows) wrong.push(`a token gets ${String(reply?.status)}`)
  }
  t.same(wrong, [], 'every token has the state that was acknowledged last')
  const storage = await openStorage(url)
  t.match(await createAuditService(storage).verify(), { whole: true }, 'the audit trail is intact')
  await storage.close()
}
