import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { parse, stringify } from 'yaml'
import { createTokenSealer, issueClientKey } from '../../domain/keys/token/token.ts'
import { anchorsOf, pageOf, rowsOf } from '../docs/markdown.ts'
import { required, newSecret, root, temporaryFolder, world } from '../helper.ts'
import { hasProgram } from '../services.ts'
import { ALERTS } from './alerts.ts'
import type { AlertCase, Series } from './alerts.ts'

interface Rule {
  alert: string
  expr: string
  labels: Record<string, string>
  annotations: { summary: string; description: string; runbook: string }
}

const FILE = join(root, 'examples/prometheus-rules.yaml')
const JOB = 'trivial-api'

const rules = (parse(readFileSync(FILE, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  group => group.rules
)

const promtool = (t: Test, ...args: string[]): void => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' })
  t.equal(status, 0, args.join(' '), status === 0 ? {} : { output: stdout + stderr })
}

test('promtool accepts the rules', async t => {
  if (hasProgram(t, 'promtool')) promtool(t, 'check', 'rules', FILE)
})

/** Returns each sample of a series in promtool's notation: `1 0x2 5+10x2` is 1, 0, 0, 0, 5, 15 and 25. */
const samplesOf = (notation: string): number[] =>
  notation.split(' ').flatMap(part => {
    const [, first = '', step = 0, more = 0] = /^(\d+(?:\.\d+)?)(?:\+(\d+))?(?:x(\d+))?$/.exec(part) ?? []
    return Array.from({ length: Number(more) + 1 }, (_, index) => Number(first) + index * Number(step))
  })

/** How often Prometheus scrapes: the time between two samples, the number of samples per scrape, and the product. */
const SCRAPES = [
  { samples: '15s', every: 1, interval: '15s' },
  // Prometheus's default.
  { samples: '15s', every: 4, interval: '1m' },
  { samples: '5m', every: 1, interval: '5m' }
] as const

type Scrape = (typeof SCRAPES)[number]

const toInput = (series: Series, every: number) =>
  Object.entries(series).map(([name, notation]) => ({
    series: name.replace('{', `{job="${JOB}",`),
    values: samplesOf(notation)
      .filter((_, index) => index % every === 0)
      .join(' ')
  }))

/** Returns a rule's tests in promtool's format. */
const unitTestsOf = (
  { alert, labels, annotations }: Rule,
  { fires, quiet, minute, labels: own }: AlertCase,
  { every, interval }: Scrape
) => {
  const fired = { exp_labels: { job: JOB, ...labels, ...own }, exp_annotations: annotations }
  const testOf = (series: Series, expected: readonly object[]) => ({
    interval,
    input_series: toInput(series, every),
    alert_rule_test: [{ eval_time: `${minute}m`, alertname: alert, exp_alerts: expected }]
  })
  return [testOf(fires, [fired]), ...quiet.map(series => testOf(series, []))]
}

test('each alert fires only in the intended cases, at each scrape interval', async t => {
  t.same(Object.keys(ALERTS).sort(), rules.map(({ alert }) => alert).sort(), 'each alert has a test case')
  t.same(samplesOf('1 0x2 5+10x2'), [1, 0, 0, 0, 5, 15, 25])
  if (!hasProgram(t, 'promtool')) return
  const folder = temporaryFolder(t)
  for (const scrape of SCRAPES) {
    const tests = rules.flatMap(rule => {
      const each = required(ALERTS[rule.alert], rule.alert)
      return each.interval === scrape.samples ? unitTestsOf(rule, each, scrape) : []
    })
    t.ok(tests.length > 1)
    const file = join(folder, `${scrape.interval}.yaml`)
    writeFileSync(file, stringify({ rule_files: [FILE], evaluation_interval: scrape.interval, tests }))
    promtool(t, 'test', 'rules', file)
  }
})

/** Sends the requests that the rules refer to, and returns the service's metrics. */
const scrape = async (t: Test): Promise<string> => {
  // Nothing listens at this Redis URL, so rate limits can't be checked.
  const { fastify, call } = await world(t, { METRICS_PORT: '0', REDIS_URL: 'redis://127.0.0.1:1' })
  const { json: key } = await call('POST', '/client_keys', {
    name: 'limited',
    rate_limit: { max: 1, window_seconds: 60 }
  })
  await call('PATCH', `/client_keys/${key.id}`, { name: 'still limited' })
  await call('GET', '/ready')
  await call('GET', '/up')
  await call('GET', '/apps', undefined, { authorization: `Bearer ${key.key_access_token}` })
  const { keyAccessToken } = issueClientKey(createTokenSealer(newSecret()))
  await call('GET', '/apps', undefined, { authorization: `Bearer ${keyAccessToken}` })
  const { metrics, expiryCounts } = fastify
  expiryCounts.latest()
  await expiryCounts.settled()
  return String((await metrics?.render())?.text)
}

test('the rules refer to metrics, labels and values that the service exposes', async t => {
  const text = await scrape(t)
  const names = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name))
  for (const { alert, expr } of rules) {
    t.ok(expr.includes(`job="${JOB}"`), alert)
    for (const [, name = '', matchers = ''] of expr.matchAll(/\b([a-z]\w+)\{([^}]+)\}/g)) {
      if (name === 'up') continue
      t.ok(names.has(name.replace(/_(bucket|count)$/, '')), `${alert}: ${name}`)
      for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)="([^"]+)"/g)) {
        if (['job', 'state', 'status'].includes(label)) continue
        t.match(text, new RegExp(`^${name}\\{.*\\b${label}="${value}"`, 'm'), `${alert}: ${label}="${value}"`)
      }
    }
  }
  t.match(text, /route="\/client_keys\/:id"/)
})

test("the documentation lists each of the service's metrics, and no others", async t => {
  const text = await scrape(t)
  const served = [...text.matchAll(/^# TYPE (trivial_\w+) /gm)].map(([, name]) => name)
  const documented = rowsOf(pageOf('docs/operating/monitoring.md')).flatMap(
    ([cell = '']) => /^`(trivial_[a-z_]+)`$/.exec(cell)?.[1] ?? []
  )
  t.same(documented.sort(), served.sort())
})

test('each alert refers to existing commands and to an existing section of the documentation', async t => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  for (const { alert, annotations } of rules) {
    const [page = '', anchor = ''] = annotations.runbook.split('#')
    t.ok(anchorsOf(pageOf(page)).has(anchor), `${alert}: ${annotations.runbook}`)
    for (const [, script = ''] of annotations.description.matchAll(/npm run ([\w:]+)/g)) t.ok(script in scripts, script)
  }
})
