import { cpus } from 'node:os'
import { median, quantile, ratios } from './rounds.ts'

/** The results of one round. */
export interface Cost {
  /** Requests or apps per second. */
  throughput: number
  /** The server's processor time for each request or app, in µs. */
  cpu: number
}

/** A row of the table. Missing fields don't apply to it. */
export interface Row {
  what: string
  result?: string
  /** The ratio of the throughputs, as measured by the client. */
  byThroughput?: string
  /** The ratio of the server's processor times. */
  byCpu?: string
  target?: string
  met?: boolean
}

const wholeNumber = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export const count = (value: number): string => wholeNumber.format(value)

export const inUnit = (value: number, unit: string, digits = 1): string => `${value.toFixed(digits)} ${unit}`

export const costOf = (costs: readonly Cost[], unit: 'request' | 'app'): string => {
  const throughput = median(costs.map(cost => cost.throughput))
  const cpu = median(costs.map(cost => cost.cpu))
  return `${count(throughput)} ${unit}s/s, ${cpu.toFixed(1)} µs CPU each`
}

/**
 * Compares two measurements from the same rounds. A ratio of 1 means equal, and a lower one means worse. The verdict is
 * based on the processor time, because throughput also depends on other load on the machine.
 */
export const ratioRow = (what: string, ours: readonly Cost[], theirs: readonly Cost[], least?: number): Row => {
  const byThroughput = ratios(
    ours.map(cost => cost.throughput),
    theirs.map(cost => cost.throughput)
  )
  const byCpu = ratios(
    theirs.map(cost => cost.cpu),
    ours.map(cost => cost.cpu)
  )
  const row = { what: `– ${what}`, byThroughput: withSpread(byThroughput), byCpu: withSpread(byCpu) }
  return least === undefined ? row : { ...row, target: `≥ ${least.toFixed(2)} by CPU`, met: median(byCpu) >= least }
}

// The median, and the quartiles in brackets.
const withSpread = (values: readonly number[]): string =>
  `${median(values).toFixed(3)} (${quantile(values, 0.25).toFixed(3)}–${quantile(values, 0.75).toFixed(3)})`

export const atMost = (what: string, value: number, most: number, unit: string, digits = 1): Row => ({
  what,
  result: inUnit(value, unit, digits),
  target: `≤ ${most} ${unit}`,
  met: value <= most
})

/** Describes the machine on which the benchmarks ran. */
export const machine = (): string => {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  return `${model}, ${processors.length} cores, Node ${process.version}, ${process.platform}`
}

export const HOW_TO_READ = `Each ratio is a median over alternating rounds. The brackets contain the middle half of the
rounds. 1 means equal, and less is worse. CPU is the processor time of the server, which determines the verdict.`

/** Returns the rows as a Markdown table with aligned columns. */
export const table = (rows: readonly Row[]): string => {
  const heading = ['Measure', 'Result', 'By throughput', 'By CPU', 'Target', 'Verdict']
  const lines = [
    heading,
    ...rows.map(({ what, result, byThroughput, byCpu, target, met }) =>
      [what, result, byThroughput, byCpu, target, met === undefined ? '' : met ? 'ok' : 'MISSES'].map(
        cell => cell ?? ''
      )
    )
  ]
  const widths = heading.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  const written = lines.map(line => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  const rule = `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`
  return [written[0], rule, ...written.slice(1)].join('\n')
}
