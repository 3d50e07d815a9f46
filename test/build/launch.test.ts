import { cpSync, existsSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { temporaryFolder } from '../helper.ts'
import { project } from './project.ts'
import type { Ended, Project } from './project.ts'

const BUILD = ['build/build.js']
const HELLO = ['build/launch.js', 'cli/trivial.ts']

/** Marks what was built, so that it can be told from the source. */
const mark = ({ read, write, folder }: Project): void => {
  const [shebang, ...lines] = read('dist/cli/trivial.js').split('\n')
  write('dist/cli/trivial.js', [shebang, "console.log('built')", ...lines].join('\n'))
  if (!existsSync(join(folder, 'dist/build.json'))) throw new Error('there is no stamp')
}

const built = async (made: Project): Promise<Project> => {
  const { code, stderr } = await made.node(BUILD)
  if (code !== 0) throw new Error(stderr)
  mark(made)
  return made
}

const isBuilt = ({ stdout }: Ended): boolean => stdout.startsWith('built\n')

test('what was built from the sources that are here is what runs, with its arguments, where it was called', async t => {
  const { node, folder } = await built(project(t))
  const elsewhere = temporaryFolder(t)
  const { code, stdout, stderr } = await node(
    [join(folder, 'build/launch.js'), 'cli/trivial.ts', '--a', 'b c'],
    elsewhere
  )
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, `built\nHello Ada ["--a","b c"] ${elsewhere}\n`)
})

test('without a build, the source runs, with its arguments, where it was called', async t => {
  const { node, folder } = project(t)
  const elsewhere = temporaryFolder(t)
  const { code, stdout, stderr } = await node(
    [join(folder, 'build/launch.js'), 'cli/trivial.ts', '--a', 'b c'],
    elsewhere
  )
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, `Hello Ada ["--a","b c"] ${elsewhere}\n`)
})

for (const [what, path, content, expected] of [
  ['a source', 'names/name.ts', "export const name: string = 'Zoe'", 'Hello Zoe'],
  ['a bundled package', 'node_modules/greeting/index.js', "module.exports = 'Goodbye'", 'Goodbye Ada'],
  ['a migration', 'db/sqlite/migrations/0000_init.sql', 'select 2;', 'Hello Ada'],
  ['the lock file', 'package-lock.json', '{"packages":{}}', 'Hello Ada']
] as const) {
  test(`where ${what} is not what it was, the source runs, however old the file looks`, async t => {
    const made = await built(project(t))
    made.write(path, content)
    utimesSync(join(made.folder, path), 0, 0)
    const ended = await made.node(HELLO)
    t.notOk(isBuilt(ended))
    t.match(ended.stdout, expected)
  })
}

test('where a file is newer and holds what it held, what was built runs', async t => {
  const made = await built(project(t))
  made.write('names/name.ts', made.read('names/name.ts'))
  t.ok(isBuilt(await made.node(HELLO)))
})

for (const [what, change] of [
  [
    'a route came',
    ({ write }) => {
      write('routes/public/second.ts', 'export default (): void => {}')
    }
  ],
  [
    'a plugin went',
    ({ folder }) => {
      rmSync(join(folder, 'plugins/first.ts'))
    }
  ],
  [
    'the build was not completed',
    ({ folder }) => {
      rmSync(join(folder, 'dist/build.json'))
    }
  ],
  [
    'the stamp is damaged',
    ({ write }) => {
      write('dist/build.json', '{"inputs"')
    }
  ]
] as [string, (made: Project) => void][]) {
  test(`where ${what}, the source runs`, async t => {
    const made = await built(project(t))
    change(made)
    const ended = await made.node(HELLO)
    t.notOk(isBuilt(ended))
    t.match(ended.stdout, 'Hello Ada')
  })
}

test('where only the build is, it runs', async t => {
  const { folder, node } = await built(project(t))
  for (const path of ['cli', 'names', 'plugins', 'routes', 'db', 'server.ts', 'paths.ts', 'node_modules']) {
    rmSync(join(folder, path), { recursive: true })
  }
  const hello = await node(HELLO)
  t.ok(isBuilt(hello))
  t.equal(hello.code, 0)
  const start = await node(['build/start.js'])
  t.equal(start.stderr, '')
  t.match(start.stdout, `serves ${join(folder, 'dist', 'plugins')}`)
})

test('a program that is not there is told', async t => {
  const { code, stderr } = await project(t).node(['build/launch.js', 'cli/none.ts'])
  t.equal(code, 1)
  t.match(stderr, 'none.ts')
})

test('npm start without a build says so in a line and ends with 1', async t => {
  const { code, stdout, stderr } = await project(t).node(['build/start.js'])
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(stderr, 'There is no build to start. Make one with: npm run build\n')
})

test('npm start serves what was built, and says so where the sources are others', async t => {
  const { node, write } = await built(project(t))
  const fresh = await node(['build/start.js'])
  t.equal(fresh.stderr, '')
  t.match(fresh.stdout, 'serves')
  write('names/name.ts', "export const name: string = 'Zoe'")
  const stale = await node(['build/start.js'])
  t.match(stale.stderr, /^dist\/ was built from other sources .* npm run build\n$/)
  t.match(stale.stdout, 'serves')
})

test('a build that stands elsewhere runs there', async t => {
  const { folder, node } = await built(project(t))
  const image = temporaryFolder(t)
  cpSync(join(folder, 'dist'), join(image, 'dist'), { recursive: true })
  cpSync(join(folder, 'package.json'), join(image, 'package.json'))
  const { stdout, code } = await node(['dist/cli/trivial.js'], image)
  t.equal(code, 0)
  t.match(stdout, 'Hello Ada')
})
