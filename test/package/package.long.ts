import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { newSecret, root, spawnNode } from '../helper.ts'
import { consumerProject, node, pack } from './package.ts'

// Packages that only the service, its database and its programs need.
const NOT_LOADED = ['better-sqlite3', 'drizzle-orm', 'fast-jwt', 'ajv', 'commander', '@node-rs']

const bin = (name: string): string => join(root, 'node_modules', name)

test('the npm package contains only the build', async t => {
  const { files } = pack(t)
  for (const path of ['dist/client-key-auth.js', 'dist/types/exports/client-key-auth.d.ts', 'dist/cli/trivial.js']) {
    t.ok(files.includes(path), path)
  }
  t.same(files.filter(path => !path.startsWith('dist/')).sort(), ['LICENSE', 'README.md', 'package.json'])
  t.same(
    files.filter(path => /\.map$|test|\.env|\.db|(?<!\.d)\.ts$/.test(path)),
    []
  )
})

test('publint and arethetypeswrong find no problems in the package', async t => {
  const { tarball } = pack(t)
  const publint = await node(root, [bin('publint/src/cli.js'), tarball, '--strict'])
  t.same(publint.code, 0, publint.output)
  const types = await node(root, [bin('@arethetypeswrong/cli/dist/index.js'), tarball, '--profile', 'esm-only'])
  t.same(types.code, 0, types.output)
})

/**
 * Runs an example without SQLite and the other modules of this service. Resolves with its URL and the token that it
 * prints.
 */
const runExample = async (t: Test, name: string): Promise<{ url: string; token: string }> => {
  const cwd = consumerProject(t)
  for (const path of [...NOT_LOADED, 'trivial-api/dist/server.js', 'trivial-api/dist/routes']) {
    rmSync(join(cwd, 'node_modules', path), { recursive: true })
  }
  const child = spawnNode([name], cwd, { CLIENT_SECRET: newSecret(), PORT: '0' })
  t.teardown(async () => {
    child.kill()
    await once(child, 'close')
  })
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  const [url = '', token = ''] = line.trim().split(' ')
  return { url, token }
}

test('ten lines of JavaScript create a service that accepts client keys, without SQLite and the other modules of this service', async t => {
  const { url, token } = await runExample(t, 'service.js')
  const get = async (headers: Record<string, string>): Promise<Response> => await fetch(`${url}/reports`, { headers })
  const good = await get({ authorization: `Bearer ${token}` })
  t.same([good.status, await good.json()], [200, ['ledger']])
  const nobody = await get({})
  t.same([nobody.status, nobody.headers.get('www-authenticate')], [401, 'Bearer realm="api"'])
  t.equal((await get({ authorization: 'Bearer x' })).status, 401)
})

test('the verifier needs no other packages, and has types', async t => {
  const cwd = consumerProject(t)
  const modules = join(cwd, 'node_modules')
  for (const name of readdirSync(modules)) {
    if (!['trivial-api', '@types', 'typescript'].includes(name)) rmSync(join(modules, name), { recursive: true })
  }
  const program = `import { createVerifier } from 'trivial-api/verifier'
    const { verify } = createVerifier({ url: 'http://127.0.0.1:9', keyAccessToken: 'x', service: 'orders' })
    const verdict = await verify('x', { refusal: 'closed' as const })
    if (verdict.ok) verdict.key.owner?.length
    else if (verdict.reason !== 'closed') verdict.reason satisfies 'inactive' | 'insufficient_scope'
    // @ts-expect-error
    verdict.token
    console.log(verdict)`
  writeFileSync(join(cwd, 'verifier.ts'), program)
  const compilerOptions = { ...STRICT, noEmit: false, outDir: '.', skipLibCheck: false }
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['verifier.ts'] }))
  t.same(await node(cwd, [bin('typescript/bin/tsc'), '-p', '.']), { code: 0, output: '' })
  t.same(await node(cwd, ['verifier.js']), { code: 0, output: "{ ok: false, reason: 'closed' }\n" })
})

test('a service without Fastify verifies client keys', async t => {
  const { url, token } = await runExample(t, 'http.js')
  const good = await fetch(url, { headers: { authorization: `bearer ${token}` } })
  t.same([good.status, await good.json()], [200, ['ledger']])
  for (const authorization of ['', 'Bearer', `Bearer ${token}x`, `Bearer ${token} x`, `Basic ${token}`]) {
    const bad = await fetch(url, { headers: { authorization } })
    t.same(
      [bad.status, bad.headers.get('www-authenticate')],
      [401, 'Bearer realm="reports"'],
      authorization.slice(0, 9)
    )
  }
})

test('a key that one process issues into an SQLite file is found by another process', async t => {
  const cwd = consumerProject(t)
  const env = { CLIENT_SECRET: newSecret(), KEYS_FILE: join(cwd, 'own.db') }
  const issued = await node(cwd, ['issue.js', 'ledger'], env)
  t.match(issued, { code: 0, output: /^[0-9a-f-]{36} tck_\w{72}\n$/ })
  t.match(await node(cwd, ['issue.js', 'ledger'], env), { code: 1, output: /CLIENT_KEY_NAME_TAKEN/ })
  t.match(await node(cwd, ['issue.js'], env), { code: 1, output: /name is required/ })
})

const STRICT = {
  target: 'es2023',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  types: ['node'],
  noEmit: true
}

// Two statements are incorrect. The compiler reports an error if an expected error doesn't occur.
const WRONG = `import Fastify from 'fastify'
import { createClientKeys, createMemoryStore } from 'trivial-api/client-key-auth'
const keys = createClientKeys({ store: createMemoryStore(), secret: '', scopes: ['reports:read', 'reports:write'] })
await keys.issue({ name: 'x', scopes: ['*'] })
// @ts-expect-error
await keys.issue({ name: 'x', scopes: ['reports:reed'] })
const app = Fastify()
app.get('/any', { config: { scope: null } }, async request => request.principal?.key.name.length)
// @ts-expect-error
app.get('/wrong', { config: { scope: 'reports:reed' } }, async () => ({}))
`

test('the ten lines of TypeScript compile, and unknown scopes cause errors', async t => {
  const cwd = consumerProject(t)
  const compile = async (files: string[], skipLibCheck: boolean) => {
    const compilerOptions = { ...STRICT, skipLibCheck }
    writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    return await node(cwd, [bin('typescript/bin/tsc'), '-p', '.'])
  }
  t.same(await compile(['service.ts'], false), { code: 0, output: '' })
  writeFileSync(join(cwd, 'wrong.ts'), WRONG)
  t.same(await compile(['service.ts', 'scopes.d.ts', 'wrong.ts'], true), { code: 0, output: '' })
})

test('docs/plugin.md contains the examples unchanged', async t => {
  const doc = readFileSync(join(root, 'docs/plugin.md'), 'utf8')
  for (const name of ['service.js', 'service.ts', 'scopes.d.ts', 'http.js', 'issue.js']) {
    const language = name.endsWith('.js') ? 'js' : 'ts'
    const source = readFileSync(join(root, 'examples/fastify-service', name), 'utf8')
    t.ok(doc.includes(`\`\`\`${language}\n${source}\`\`\``), name)
  }
  t.equal(doc.match(/```[jt]s/g)?.length, 7, 'five examples, and the interfaces of a store and of counters')
})
