/**
 * Formats rows as a table. The first row is the heading, and each column is as wide as its widest cell. Replaces
 * control characters, which a terminal would interpret, with question marks.
 */
export const table = (rows: readonly (readonly string[])[]): string => {
  const cells = rows.map(row => row.map(cell => cell.replaceAll(/\p{C}/gu, '?')))
  const widths: number[] = []
  for (const row of cells) {
    for (const [column, { length }] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, length)
  }
  return cells
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(Number(widths[column])))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}
