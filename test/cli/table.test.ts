import { test } from 'tap'
import { table } from '../../cli/table.ts'

test('columns are as wide as their widest cell, for any number of rows, and control characters are replaced', async t => {
  t.equal(
    table([
      ['A', 'B'],
      ['long', 'x'],
      ['', '\u009b31mred\n']
    ]),
    'A     B\nlong  x\n      ?31mred?'
  )
  t.equal(table(Array.from({ length: 300_000 }, () => ['x'])).length, 599_999)
})
