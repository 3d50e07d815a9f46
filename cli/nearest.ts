/** How many letters must be added, left out or replaced to make one word of another: their Levenshtein distance. */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [line, letter] of Array.from(from).entries()) {
    const next = [line + 1]
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = Number(row[column]) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, Number(next[column]) + 1, Number(row[column + 1]) + 1))
    }
    row = next
  }
  return Number(row.at(-1))
}

/** The word that was probably meant by one that is not known; null where none is near enough. */
export const nearest = (typed: string, words: readonly string[]): string | null => {
  const [best] = words
    .map(word => ({ word, away: distance(typed, word) }))
    .filter(({ away }) => away <= (typed.length + 1) / 3)
    .sort((a, b) => a.away - b.away)
  return best?.word ?? null
}
