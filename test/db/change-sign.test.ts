import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { test } from 'tap'
import type { Test } from 'tap'
import { createChangeSign } from '../../db/sqlite/change-sign.ts'
import { temporaryFolder } from '../helper.ts'

const kinds: Record<string, (path: string) => string> = {
  'a WAL index': () => 'wal',
  'no WAL index': () => 'delete',
  'a WAL index of another format': path => {
    writeFileSync(`${path}-shm`, Buffer.alloc(100, 1))
    return 'delete'
  },
  'a WAL index that is too short': path => {
    writeFileSync(`${path}-shm`, '')
    return 'delete'
  }
}

const open = (t: Test, path: string): Database.Database => {
  const db = new Database(path)
  t.teardown(() => { db.close() })
  return db
}

for (const [name, prepare] of Object.entries(kinds)) {
  test(`with ${name}, every commit of anybody is a change, once, and nothing else is`, async t => {
    const path = join(temporaryFolder(t), 'test.db')
    const here = open(t, path)
    here.pragma(`journal_mode = ${prepare(path)}`)
    here.exec('create table numbers (number integer)')
    const there = open(t, path)
    const hasChanged = createChangeSign(here)
    t.equal(hasChanged(), true, 'the first time')
    t.equal(hasChanged(), false)
    for (const db of [there, here, there, there, here]) {
      db.prepare('insert into numbers values (1)').run()
      t.equal(hasChanged(), true)
      t.equal(hasChanged(), false)
    }
    for (const db of [there, here]) db.prepare('select * from numbers').all()
    t.equal(hasChanged(), false, 'to read is no change')
    there.exec('begin; insert into numbers values (2)')
    t.equal(hasChanged(), false, 'nor is what is not committed')
    there.exec('rollback')
    for (let i = 0; i < 50; i++) {
      there.prepare('insert into numbers values (?)').run(i)
      if (i % 10 === 0) there.pragma('wal_checkpoint(truncate)')
      t.equal(hasChanged(), true, 'through checkpoints')
    }
  })
}
