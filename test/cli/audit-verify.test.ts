import { test } from 'tap'
import type { Test } from 'tap'
import { GENESIS, hashOf } from '../../domain/audits/chain.ts'
import { openStorage } from '../../db/open.ts'
import { at, operator } from '../helper.ts'
import { terminal } from './terminal.ts'
import type { Ended } from './terminal.ts'

interface AuditRow {
  sequence: number
  at: string
  actor_kind: string
  actor_id: string
  actor_name: string
  action: string
  subject_type: string
  subject_id: string
  changes: string
  address: string | null
  request_id: string | null
  previous_hash: string
  hash: string
}

const rehashed = (row: AuditRow): string =>
  hashOf({
    sequence: row.sequence,
    at: new Date(row.at),
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    action: row.action,
    subject: { type: row.subject_type, id: row.subject_id },
    changes: row.changes,
    address: row.address,
    requestId: row.request_id,
    previousHash: row.previous_hash
  })

/** Creates an audit trail with five entries. */
const trail = async (t: Test) => {
  const made = terminal(t)
  const keys = await made.registry()
  const {
    key: { id }
  } = await keys.issue({ name: 'a' }, operator)
  for (const enabled of [false, true, false, true]) await keys.change(id, { enabled }, operator)
  const verify = async (...args: string[]): Promise<Ended> => await made.cli('audit:verify', args)
  const db = made.database()
  const read = db.prepare<[number], AuditRow>('select * from audits where sequence = ?')
  const rowOf = (sequence: number): AuditRow => {
    const row = read.get(sequence)
    if (row === undefined) throw new Error(`entry ${sequence} does not exist`)
    return row
  }
  return { db, verify, rowOf }
}

const ROW =
  'insert into audits values (@sequence, @at, @actor_kind, @actor_id, @actor_name, @action, @subject_type, @subject_id, @changes, @address, @request_id, @previous_hash, @hash)'

test('audit:verify reports that a trail is intact, or identifies the first invalid entry', async t => {
  const { db, verify, rowOf } = await trail(t)
  const head = `5:${rowOf(5).hash}`
  t.match(await verify(), { code: 0, stdout: `The audit trail is intact. The last entry is ${head}\n`, stderr: '' })
  t.equal((await verify('--noted', head)).code, 0)
  t.equal(rowOf(1).previous_hash, GENESIS)

  const rows = [1, 2, 3, 4, 5].map(rowOf)
  for (const forbidden of [
    "update audits set action = 'x'",
    'delete from audits where sequence = 5',
    'insert or replace into audits select * from audits where sequence = 3'
  ]) {
    t.throws(() => db.exec(forbidden), /append-only/, forbidden)
  }
  t.strictSame([1, 2, 3, 4, 5].map(rowOf), rows)

  for (const trigger of ['audits_never_updated', 'audits_never_deleted', 'audits_only_appended']) {
    db.exec(`drop trigger ${trigger}`)
  }
  const restore = db.transaction(() => {
    db.exec('delete from audits')
    for (const row of rows) db.prepare(ROW).run(row)
    db.prepare('update audit_head set sequence = 5, hash = ?').run(at(rows, 4).hash)
  })
  const alter = (row: AuditRow): AuditRow => ({ ...row, changes: '{"enabled":{"from":true,"to":true}}' })
  const put = (row: AuditRow): void => {
    db.prepare(ROW.replace('insert', 'insert or replace')).run(row)
  }
  const withHash = (row: AuditRow): AuditRow => ({ ...row, hash: rehashed(row) })
  t.strictSame(rows.map(withHash), rows)

  const forgeries: [what: string, forge: () => void, found: RegExp][] = [
    [
      'altered',
      () => {
        put(alter(at(rows, 2)))
      },
      /entry 3 was altered/
    ],
    [
      'altered in its actor',
      () => {
        put({ ...at(rows, 1), actor_name: 'nobody' })
      },
      /entry 2 was altered/
    ],
    [
      'altered, with a recomputed hash',
      () => {
        put(withHash(alter(at(rows, 2))))
      },
      /entry 3 was altered or replaced/
    ],
    [
      'removed from the middle',
      () => {
        db.exec('delete from audits where sequence = 3')
      },
      /entry 3 was removed/
    ],
    [
      'removed from the end',
      () => {
        db.exec('delete from audits where sequence = 5')
      },
      /entry 5 was removed/
    ],
    [
      'all removed',
      () => {
        db.exec('delete from audits')
      },
      /entry 1 was removed/
    ],
    [
      'inserted before',
      () => {
        put(withHash({ ...at(rows), sequence: 0 }))
      },
      /entry 0 was inserted/
    ]
  ]
  for (const [what, forge, found] of forgeries) {
    forge()
    t.match(await verify(), { code: 1, stdout: '', stderr: found }, what)
    restore()
  }
  put(alter(at(rows, 2)))
  const { code, stdout } = await verify('--json')
  t.same([code, JSON.parse(stdout)], [1, { whole: false, sequence: 3, fault: 'was altered' }])
})

test('a noted head reveals a forged trail, and a trail that was truncated together with its head', async t => {
  const { db, verify, rowOf } = await trail(t)
  const noted = /\d+:[0-9a-f]{64}/.exec((await verify()).stdout)?.[0] ?? ''
  t.match(noted, /^5:/)
  for (const trigger of ['audits_never_updated', 'audits_never_deleted', 'audits_only_appended']) {
    db.exec(`drop trigger ${trigger}`)
  }

  const forged: AuditRow[] = []
  for (const row of [1, 2, 3, 4, 5].map(rowOf)) {
    const entry = { ...row, actor_name: 'somebody', previous_hash: forged.at(-1)?.hash ?? GENESIS }
    forged.push({ ...entry, hash: rehashed(entry) })
  }
  db.exec('delete from audits')
  for (const row of forged) db.prepare(ROW).run(row)
  t.match(await verify(), { code: 0, stderr: '' }, 'the forged trail looks intact without the noted head')
  t.match(await verify('--noted', noted), {
    code: 1,
    stdout: '',
    stderr: /entry 5 is not the one whose hash was noted/
  })

  db.exec(
    'delete from audits where sequence = 5; update audit_head set sequence = 4, hash = (select hash from audits where sequence = 4)'
  )
  t.equal((await verify()).code, 0, 'the shortened trail looks intact without the noted head')
  t.match(await verify('--noted', noted), { code: 1, stdout: '', stderr: /entry 5 was removed/ })
})

test('audit:verify reports that a trail is empty', async t => {
  const { cli, env } = terminal(t)
  await (await openStorage(env['DATABASE_URL'])).close()
  t.match(await cli('audit:verify'), { code: 0, stdout: /has no entries/ })
})

test('a timestamp in another format is reported as an alteration', async t => {
  const { db, verify } = await trail(t)
  db.exec("drop trigger audits_never_updated; update audits set at = replace(at, 'Z', '+00:00') where sequence = 2")
  t.match(await verify(), { code: 1, stderr: /entry 2 was altered/ })
})

test('a trail without a head fails verification', async t => {
  const { db, verify } = await trail(t)
  db.exec('delete from audit_head')
  t.match(await verify(), { code: 1, stderr: /the audit trail has no head/ })
})

test('an entry after the head is reported as inserted', async t => {
  const { db, verify, rowOf } = await trail(t)
  const forged = { ...rowOf(5), sequence: 6, previous_hash: rowOf(5).hash }
  db.exec('drop trigger audit_head_follows')
  db.prepare(ROW).run({ ...forged, hash: rehashed(forged) })
  t.match(await verify(), { code: 1, stderr: /entry 6 was inserted/ })
})
