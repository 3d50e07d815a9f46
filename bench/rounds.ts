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
