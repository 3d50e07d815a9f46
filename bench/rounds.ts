/**
 * Takes every measure once a round. The first rounds warm up and are thrown away: V8 optimizes what has run some
 * thousands of times. Every other round goes backwards, so that no measure always comes after the same other one.
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
/** The value below which a share of the values lies: 0.5 is the median. NaN where there are none. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? NaN
  const above = sorted[Math.ceil(place)] ?? NaN
  return below + (above - below) * (place - Math.floor(place))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** The ratios of two measures round by round: what slows a whole round down then slows both sides of a ratio. */
export const ratios = (over: readonly number[], under: readonly number[]): number[] =>
  over.map((value, round) => value / (under[round] ?? NaN))
