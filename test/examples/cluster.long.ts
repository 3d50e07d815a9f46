import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { at, collect, required, root, spawnNode, temporaryFolder } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'

/** Runs `npm run cluster` with arguments, with the environment that npm sets. */
const cluster = (t: Test, args: readonly string[], url: string, env: Record<string, string> = {}) => {
  const program = ['--import', import.meta.resolve('tsx'), join(root, 'examples/cluster/main.ts'), ...args]
  const child = spawnNode(program, temporaryFolder(t), { DATABASE_URL: url, ...env })
  child.stdin.end()
  const { output, ended } = collect(child)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return { child, output, ended }
}

const rowsOf = (text: string, first: string): string[][] =>
  text
    .split('\n')
    .map(line => line.trim().split(/ {2,}/))
    .filter(([cell]) => cell === first)

/** Returns a row if the cluster's database exists. */
const databaseIn = async (url: string, text: string): Promise<unknown[]> => {
  const [name] = required(/trivial_cluster_\w+/.exec(text) ?? undefined, 'the name of the database')
  return await execute(url, `select 1 from pg_database where datname = '${name}'`)
}

const call = (number: number, status: number): string[] => [
  'GET /apps',
  `node ${number}`,
  String(status),
  status === 200 ? 'accepted' : 'refused'
]

test('in a cluster, every node accepts a key, and refuses it once the receipt for its revocation has been returned', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  // These variables are for another service. Two nodes can't share a port.
  const others = {
    METRICS_PORT: '39464',
    PORT: '39465',
    CLIENT_KEYS: 'xxx',
    DATABASE_LISTEN_URL: 'postgres://127.0.0.1:1/x'
  }
  const { code, stdout, stderr } = await cluster(t, ['--nodes', '2', '--once'], url, others).ended
  t.same([code, stderr], [0, ''])
  t.same(rowsOf(stdout, 'GET /apps'), [call(1, 200), call(2, 200), call(1, 401), call(2, 401)])
  t.same(rowsOf(stdout, 'acknowledged by'), [['acknowledged by', '2 of 2 nodes']])
  t.same(rowsOf(stdout, 'leases ended'), [['leases ended', '0']])
  t.match(rowsOf(stdout, 'waited'), [['waited', /^\d+ ms$/]])
  t.same(await databaseIn(url, stdout), [], 'its database is dropped')
})

test("a cluster shows that a stopped node's lease expires, and keeps running until Ctrl-C is pressed", async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  const { child, output, ended } = cluster(t, ['--nodes', '2'], url)
  while (!output().stdout.includes('Press Ctrl-C to stop.') && child.exitCode === null) {
    await Promise.race([new Promise(resolve => child.stdout.once('data', resolve)), ended])
  }
  const text = output().stdout
  const [, shown = ''] = text.split('3. ')
  t.same(rowsOf(shown, 'acknowledged by'), [['acknowledged by', '1 of 2 nodes']])
  t.same(rowsOf(shown, 'leases ended'), [['leases ended', '1']])
  t.same(rowsOf(shown, 'GET /apps'), [call(1, 401), call(2, 401)])

  const base = at(at(rowsOf(text, 'proxy')), 1)
  t.equal((await fetch(`${base}/ready`)).status, 200)
  t.equal((await databaseIn(url, text)).length, 1)
  child.kill('SIGINT')
  t.equal((await ended).code, 0)
  t.same(await databaseIn(url, text), [], 'its database is dropped')
})

test('without PostgreSQL, a cluster explains what to do', async t => {
  const { code, stdout, stderr } = await cluster(t, [], 'postgres://ada:hidden@127.0.0.1:1/postgres').ended
  t.same([code, stdout], [1, ''])
  t.match(stderr, /^A cluster needs a PostgreSQL server .+: connect ECONNREFUSED .+DATABASE_URL=postgres:/s)
  t.notMatch(stderr, 'hidden')
})

test('an invalid DATABASE_URL is rejected', async t => {
  const { code, stderr } = await cluster(t, [], 'postgres://ada@/postgres').ended
  t.same(
    [code, stderr],
    [
      1,
      'DATABASE_URL (set in the environment) must be a postgres: URL, such as postgres://trivial@db.example.com/trivial.\n'
    ]
  )
})

test('an invalid number of nodes is rejected', async t => {
  for (const args of [['--nodes', '0'], ['--nodes', '10'], ['--node']]) {
    const { code, stdout, stderr } = await cluster(t, args, '').ended
    t.same([code, stdout], [2, ''])
    t.match(stderr, /^(--nodes must be a number from 1 to 9\.|There is no option --node; did you mean --nodes\?)\n/)
  }
})
