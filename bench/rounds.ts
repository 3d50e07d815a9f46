/**
 * Takes every measure once a round. The first round warms up and is thrown away; every other round goes backwards, so that
 * no measure always comes after the same other one.
 */
export const takeInRounds = async <Name extends string, Measure>(
  rounds: number, measures: Readonly<Record<Name, () => Promise<Measure>>>
): Promise<Record<Name, Measure[]>> => {
  const names = Object.keys(measures) as Name[]
  const taken = Object.fromEntries(names.map(name => [name, [] as Measure[]])) as Record<Name, Measure[]>
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const measure = await measures[name]()
      if (round > 0) taken[name].push(measure)
    }
  }
  return taken
}
