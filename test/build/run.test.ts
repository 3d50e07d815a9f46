import { once } from 'node:events'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { collect, required, root, settings, spawnProgram, temporaryFolder } from '../helper.ts'
import { project } from './project.ts'

test('without a build, npm start and the commands print one line that explains what to do', async t => {
  const { run } = project(t)
  for (const script of ['start', 'key:issue', 'quickstart']) {
    t.same(await run(`npm run --silent ${script}`), {
      code: 1,
      stdout: '',
      stderr: 'The project has not been built. Build it with: npm run build\n'
    })
  }
})

test('the build runs in the current folder, with the arguments that were passed', async t => {
  const { run, folder } = project(t)
  await run('node build/build.js')
  const elsewhere = temporaryFolder(t)
  t.same(await run(`sh ${folder}/build/run.sh cli/trivial.js --a $b`, elsewhere), {
    code: 0,
    stdout: `Hello Ada ["--a","$b"] ${elsewhere}\n`,
    stderr: ''
  })
})

test('a build can be run from another folder', async t => {
  const { folder, run } = project(t)
  await run('node build/build.js')
  const image = temporaryFolder(t)
  cpSync(join(folder, 'dist'), join(image, 'dist'), { recursive: true })
  cpSync(join(folder, 'package.json'), join(image, 'package.json'))
  t.match(await run('node dist/cli/trivial.js', image), { code: 0, stdout: /^Hello Ada/ })
})

test('sending SIGTERM to npm start stops the service, and then npm exits', async t => {
  const folder = temporaryFolder(t)
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  for (const name of ['build', 'dist']) symlinkSync(join(root, name), join(folder, name))
  const { env } = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
  const npm = spawnProgram(['npm', 'start', '--silent'], folder, { ...env, HOME: folder })
  const { output, ended } = collect(npm)
  const lineWith = async (text: RegExp): Promise<string> => {
    for (;;) {
      const found = text.exec(output().stdout)?.[1]
      if (found !== undefined) return found
      await Promise.race([once(npm.stdout, 'data'), ended.then(end => Promise.reject(new Error(end.stderr)))])
    }
  }
  const base = await lineWith(/Server listening at (http:[^"]+)"/)
  const pid = Number(required(/"pid":(\d+)/.exec(output().stdout)?.[1], 'the id of the process'))
  t.teardown(() => {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // The process has ended, as expected.
    }
  })
  t.equal((await fetch(`${base}/up`)).status, 200)
  npm.kill('SIGTERM')
  await once(npm, 'exit')
  await t.rejects(fetch(`${base}/up`))
  t.match(output().stdout, '"msg":"the service is stopping"')
})
