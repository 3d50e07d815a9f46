import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { project } from './project.ts'

const BUILD = ['build/build.js']

const chunksOf = (folder: string): string[] =>
  readdirSync(join(folder, 'dist')).filter(name => name.startsWith('trivial-') && name.endsWith('.js'))

test('a build has the programs, the plugins and routes by folder, the migrations and the licenses of what it holds', async t => {
  const { node, read, folder } = project(t)
  t.equal((await node(BUILD)).code, 0)
  for (const path of ['server.js', 'cli/trivial.js', 'plugins/first.js', 'routes/public/first.js']) {
    t.ok(existsSync(join(folder, 'dist', path)), path)
  }
  t.match(read('dist/cli/trivial.js'), /^#!\/usr\/bin\/env node\n/)
  t.equal(statSync(join(folder, 'dist/cli/trivial.js')).mode & 0o777, 0o755, 'a program that can be run by its name')
  t.equal(read('dist/db/sqlite/migrations/0000_init.sql'), 'select 1;')
  t.match(read('dist/LICENSES.txt'), /greeting 1\.0\.0 \(MIT\)\s+Do with it as you please\./)
})

test('a plugin keeps what it tells @fastify/autoload', async t => {
  const { node, write } = project(t)
  write('plugins/second.ts', "export default 'second'\nexport const autoload = false\nexport const autoPrefix = '/a'")
  t.equal((await node(BUILD)).code, 0)
  const { stdout } = await node([
    '--eval',
    "import('./dist/plugins/second.js').then(plugin => console.log(JSON.stringify(plugin)))"
  ])
  t.same(JSON.parse(stdout), { default: 'second', autoload: false, autoPrefix: '/a' })
})

test('a source that asks where it is stops the build, which could not tell it', async t => {
  const { node, write } = project(t)
  write('names/name.ts', 'export const name: string = import.meta.url')
  const { code, stderr } = await node(BUILD)
  t.equal(code, 1)
  t.match(stderr, 'names/name.ts asks where it is')
})

test('files that are asked for are built as well, in a folder of their own', async t => {
  const { node, folder } = project(t)
  t.equal((await node([...BUILD, 'other', 'names/name.ts'])).code, 0)
  t.ok(existsSync(join(folder, 'other/names/name.js')))
  t.ok(existsSync(join(folder, 'other/server.js')))
  t.notOk(existsSync(join(folder, 'dist')))
})

test('what a running service may load late outlives the next build, and not the one after', async t => {
  const { node, write, folder } = project(t)
  const builds = []
  for (const name of ['Ada', 'Zoe', 'Kim']) {
    write('names/name.ts', `export const name: string = '${name}'`)
    t.equal((await node(BUILD)).code, 0)
    builds.push(chunksOf(folder))
  }
  const [[first] = [], second = [], third = []] = builds
  t.equal(second.length, 2)
  t.ok(second.includes(String(first)))
  t.equal(third.length, 2)
  t.notOk(third.includes(String(first)))
})

test('a plugin that was removed is not found by the next start', async t => {
  const { node, write, folder } = project(t)
  write('plugins/second.ts', "export default 'second'")
  t.equal((await node(BUILD)).code, 0)
  t.ok(existsSync(join(folder, 'dist/plugins/second.js')))
  rmSync(join(folder, 'plugins/second.ts'))
  t.equal((await node(BUILD)).code, 0)
  t.notOk(existsSync(join(folder, 'dist/plugins/second.js')))
})

test('a build that fails leaves none that is taken for fresh', async t => {
  const { node, write, folder } = project(t)
  await node(BUILD)
  write('names/name.ts', 'export const name = ')
  t.equal((await node(BUILD)).code, 1)
  t.notOk(existsSync(join(folder, 'dist/build.json')))
})

test('an installation makes a build, and does not fail where it can not', async t => {
  const { node, write, folder } = project(t)
  const prepare = ['build/prepare.js']
  t.same(await node(prepare), { code: 0, stdout: '', stderr: '' })
  t.ok(existsSync(join(folder, 'dist/build.json')))

  rmSync(join(folder, 'dist'), { recursive: true })
  write('names/name.ts', 'export const name = ')
  const { code, stderr } = await node(prepare)
  t.equal(code, 0)
  t.match(stderr, 'npm run build tells why')
})
