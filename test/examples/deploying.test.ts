import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { parse } from 'yaml'
import { Config } from '../../config/schema.ts'
import { at, collect, listening, required, root, world } from '../helper.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/**
 * The maximum time that shutdown takes. It includes a second for open connections. Requests that are
 * still unfinished after that time are aborted.
 */
const STOP_SECONDS = 11

const VARIABLES = Object.keys(Config.properties)

test('the image contains everything that a build reads, but no secrets', async t => {
  const allowed = read('.dockerignore')
    .split('\n')
    .filter(line => line.startsWith('!'))
    .map(line => line.slice(1))
  const maps = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter(path =>
    path.endsWith('.map')
  )
  const sources = maps.flatMap(path =>
    (JSON.parse(read(join('dist', path))) as { sources: string[] }).sources.map(source =>
      join('dist', dirname(path), source)
    )
  )
  t.ok(sources.includes('app.ts'))
  const missing = [...sources, 'build/build.js', 'db/sqlite/migrations', 'package-lock.json'].filter(
    path => !/^node_modules\//.test(path) && !allowed.includes(at(path.split('/')))
  )
  t.same(missing, [])
  t.same(
    allowed.filter(path => !existsSync(join(root, path))),
    []
  )
  t.match(read('.dockerignore'), /^\*$/m)
  t.notOk(allowed.some(path => path.startsWith('.env') || path === 'data'))
})

test('git ignores the files with secrets that readers of the documentation create', async t => {
  const ignored = read('.gitignore').split('\n')
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(path =>
    path.endsWith('.md')
  )
  const files = pages.flatMap(page =>
    [...read(join('docs', page)).matchAll(/(?:--from-env-file=|>>? |--out )([\w.-]*\.(?:env|txt|json))\b/g)].map(
      found => at(found, 1)
    )
  )
  for (const known of ['owner.env', 'tokens.txt', 'old.txt', 'openapi.json']) t.ok(files.includes(known), known)
  for (const file of files) {
    t.ok(
      [file, `*${extname(file)}`].some(pattern => ignored.includes(pattern)),
      file
    )
  }
})

/** Runs the Dockerfile's health check without a shell, as Docker does. */
const checkHealth = async (t: Test, port: number): Promise<number | null> => {
  const [, words = ''] = required(
    /^HEALTHCHECK .*\\\n *CMD (.+)$/m.exec(read('Dockerfile')) ?? undefined,
    'HEALTHCHECK'
  )
  const [program, ...args] = JSON.parse(words) as string[]
  t.equal(program, 'node')
  const child = spawn(process.execPath, args, { env: { PORT: String(port) } })
  return (await collect(child).ended).code
}

test("the image's health check distinguishes a running service from a stopped one", async t => {
  const { fastify } = await world(t)
  const port = await listening(fastify)
  t.equal(await checkHealth(t, port), 0)
  await fastify.close()
  t.equal(await checkHealth(t, port), 1)
})

interface Compose {
  services: Record<string, { environment?: Record<string, string>; stop_grace_period?: string }>
}

test('compose.yaml sets only existing variables, and gives a node enough time to stop', async t => {
  const { services } = parse(read('examples/compose.yaml'), { merge: true }) as Compose
  const nodes = Object.entries(services).filter(([name]) => name.startsWith('node-'))
  t.equal(nodes.length, 2)
  for (const [name, { environment = {}, stop_grace_period: grace = '' }] of nodes) {
    for (const variable of Object.keys(environment)) t.ok(VARIABLES.includes(variable), `${name} ${variable}`)
    t.ok(Number.parseInt(grace, 10) > STOP_SECONDS)
  }
})
