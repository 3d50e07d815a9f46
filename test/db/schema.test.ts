import { join } from 'node:path'
import { getTableConfig } from 'drizzle-orm/sqlite-core'
import { test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { Database } from '../../db/sqlite/driver.ts'
import * as schema from '../../db/sqlite/schema.ts'
import { temporaryFolder } from '../helper.ts'

test('the migrations create the tables that the schema describes', async t => {
  const path = join(temporaryFolder(t), 'test.db')
  await (await openStorage(`file:${path}`)).close()
  const db = new Database(path, { readonly: true })
  const pragma = (text: string) => db.pragma(text) as Record<string, unknown>[]
  for (const table of Object.values(schema)) {
    const { name, columns, indexes, foreignKeys, checks } = getTableConfig(table)
    t.same(
      pragma(`table_info(${name})`).map(column => [column['name'], column['type'], column['notnull'] === 1]),
      columns.map(column => [column.name, column.getSQLType().toUpperCase(), column.notNull]),
      name
    )
    t.same(
      pragma(`index_list(${name})`)
        .filter(index => index['origin'] === 'c')
        .map(index => [index['name'], index['unique'] === 1])
        .sort(),
      indexes.map(({ config }) => [config.name, config.unique]).sort(),
      name
    )
    t.same(
      pragma(`foreign_key_list(${name})`)
        .map(key => [key['from'], key['table'], String(key['on_delete']).toLowerCase()])
        .sort(),
      foreignKeys
        .map(key => [key.reference().columns[0]?.name, getTableConfig(key.reference().foreignTable).name, key.onDelete])
        .sort(),
      name
    )
    const definition = db.prepare('select sql from sqlite_master where name = ?').pluck().get(name)
    for (const check of checks) t.match(definition, check.name)
  }
  for (const table of ['client_key_tokens', 'client_key_usage']) {
    t.match(db.prepare('select sql from sqlite_master where name = ?').pluck().get(table), /\) WITHOUT ROWID$/, table)
  }
  db.close()
})
