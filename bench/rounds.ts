/**
 * Takes every measurement once per round. Discards the results of the first rounds, because V8 optimizes code only
 * after thousands of runs. Reverses the order in every other round, so that no measurement always follows the same one.
 */
export const takeInRounds = async <Name extends string, Measure>(
  rounds: number,
  measures: Readonly<Record<Name, () => Promise<Measure>>>,
  warmUpRounds = 1
): Promise<Record<Name, Measure[]>> => {
  const names = Object.keys(measures) as Name[]
  const taken = Object.fromEntries(names.map(name => [name, [] as Measure[]])) as Record<Name, Measure[]>
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const measure = await measures[name]()
      if (round >= warmUpRounds) taken[name].push(measure)
    }
  }
  return taken
}
/** Returns a quantile of the values, such as the median for 0.5, or NaN if there are no values. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? NaN
  const above = sorted[Math.ceil(place)] ?? NaN
  return below + (above - below) * (place - Math.floor(place))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/**
 * Returns the ratio of two measurements for each round. Within a round, other load on the machine affects both of them.
 */
export const ratios = (over: readonly number[], under: readonly number[]): number[] =>
  over.map((value, round) => value / (under[round] ?? NaN))
