/**
 * Lays rows of text out in columns that are as wide as their widest cell; the first row is the heading. What a terminal would
 * obey rather than show becomes a question mark.
 */
export const table = (rows: readonly (readonly string[])[]): string => {
  const cells = rows.map(row => row.map(cell => cell.replaceAll(/\p{C}/gu, '?')))
  const widths = cells[0].map((_, column) => cells.reduce((widest, row) => Math.max(widest, row[column].length), 0))
  return cells.map(row => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()).join('\n')
}
