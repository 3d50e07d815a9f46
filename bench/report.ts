import { cpus } from 'node:os'
import { median, quantile, ratios } from './rounds.ts'

/** What something took in one round. */
export interface Cost {
  /** Requests a second, or apps a second. */
  throughput: number
  /** µs of the server's processor for each of them. */
  cpu: number
}

/** A line of the table; what is left out does not apply. */
export interface Row {
  what: string
  result?: string
  /** Ratios: by what can be counted from outside, and by the time of the server's processor. */
  byThroughput?: string
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
 * Compares two measures that were taken in the same rounds: 1 is as good, less is worse. The processor's time judges,
 * since throughput also depends on what else the machine does.
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

// A median, and between which values the middle half lies.
const withSpread = (values: readonly number[]): string =>
  `${median(values).toFixed(3)} (${quantile(values, 0.25).toFixed(3)}–${quantile(values, 0.75).toFixed(3)})`

export const atMost = (what: string, value: number, most: number, unit: string, digits = 1): Row => ({
  what,
  result: inUnit(value, unit, digits),
  target: `≤ ${most} ${unit}`,
  met: value <= most
})

/** What the numbers were taken on. */
export const machine = (): string => {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  return `${model}, ${processors.length} cores, Node ${process.version}, ${process.platform}`
}

export const HOW_TO_READ = `Each ratio is a median over rounds that alternate, and in brackets where the middle half of
them lies; 1 is as good, less is worse. CPU is the time of the processor of the server only, and it judges the ratios.`

/** The rows as a table in Markdown that also reads well as it is. */
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
