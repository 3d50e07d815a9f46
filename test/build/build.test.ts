import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { project } from './project.ts'

const BUILD = 'node build/build.js'

test('a build contains the programs, the routes in their folders, the migrations and the licenses of bundled packages', async t => {
  const { run, read, folder } = project(t)
  t.match(await run(BUILD), { code: 0, stdout: '', stderr: '' })
  for (const path of ['server.js', 'cli/trivial.js', 'routes/public/first.js', 'plugin.js']) {
    t.ok(existsSync(join(folder, 'dist', path)), path)
  }
  t.match(read('dist/cli/trivial.js'), /^#!\/usr\/bin\/env node\n/)
  t.equal(statSync(join(folder, 'dist/cli/trivial.js')).mode & 0o777, 0o755, 'the program is executable')
  t.equal(read('dist/db/sqlite/migrations/0000_init.sql'), 'select 1;')
  t.equal(read('dist/db/postgres/migrations/0000_init.sql'), 'select 2;')
  t.match(read('dist/LICENSES.txt'), /greeting 1\.0\.0 \(MIT\)\s+Do with it as you please\./)
})

test('programs bundle their packages, but modules for other services do not', async t => {
  const { run, folder } = project(t)
  await run(BUILD)
  rmSync(join(folder, 'node_modules'), { recursive: true })
  t.match(await run('node dist/cli/trivial.js'), { code: 0, stdout: /^Hello Ada/ })
  t.match(await run('node dist/plugin.js'), { code: 1, stderr: /Cannot find package 'greeting'/ })
})

test('a program finds its files in the build folder', async t => {
  const { run, folder } = project(t)
  await run(BUILD)
  const { stdout } = await run(`node ${folder}/dist/server.js`, join(folder, 'names'))
  t.equal(stdout, `serves ${join(folder, 'dist/routes')}\n`)
})

test('a file in routes is a route if it has a default export, and a deleted route is removed from the build', async t => {
  const { run, folder } = project(t)
  await run(BUILD)
  t.notOk(existsSync(join(folder, 'dist/routes/public/names.js')))
  renameSync(join(folder, 'routes/public/first.ts'), join(folder, 'routes/public/second.ts'))
  await run(BUILD)
  t.notOk(existsSync(join(folder, 'dist/routes/public/first.js')))
  t.ok(existsSync(join(folder, 'dist/routes/public/second.js')))
})

test('additional files are built on request, in a separate folder', async t => {
  const { run, folder } = project(t)
  t.equal((await run(`${BUILD} other names/name.ts`)).code, 0)
  t.ok(existsSync(join(folder, 'other/names/name.js')))
  t.ok(existsSync(join(folder, 'other/server.js')))
  t.notOk(existsSync(join(folder, 'dist')))
})

test('npm install builds the project, and reports why a build fails', async t => {
  const { run, write, folder } = project(t)
  t.match(await run('npm run prepare'), { code: 0 })
  t.ok(existsSync(join(folder, 'dist/server.js')))
  write('names/name.ts', 'export const name = ')
  const { code, stderr } = await run('npm run prepare')
  t.equal(code, 1)
  t.match(stderr, 'names/name.ts:1:20: ERROR: Unexpected end of file')
  t.notOk(existsSync(join(folder, 'dist/server.js')))
})
