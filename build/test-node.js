import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

// npm run test:node -- [--start-only] <version>…
// Each version of Node comes from the npm registry, where it is a package with its headers, and gets a copy of the
// project and an installation of its own in a temporary folder.

const root = fileURLToPath(new URL('..', import.meta.url))
const USAGE = 'npm run test:node -- [--start-only] <version of Node>…, such as: npm run test:node -- 22 24 26'

// The version, and the code name of a version with long-term support.
const NAME = "[process.version, process.release.lts].filter(Boolean).join(' ')"

/** @typedef {{ node: string, project: string, env: NodeJS.ProcessEnv }} Installation */

/**
 * Runs a program and shows what it prints. Throws where it fails.
 *
 * @param {Installation} installation
 * @param {string[]} command
 */
const run = ({ project, env }, [program = '', ...args]) => {
  const { status, error } = spawnSync(program, args, { cwd: project, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${String(status)}`)
}

/**
 * @param {string} folder
 * @param {string} version
 * @param {boolean} startOnly
 * @returns {Installation}
 */
const install = (folder, version, startOnly) => {
  const project = join(folder, 'project')
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8'
  })
  // A file that was deleted and not committed yet is still listed.
  for (const path of listed.split('\0').filter(path => path !== '' && existsSync(join(root, path)))) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    cpSync(join(root, path), join(project, path))
  }

  const platform = `node-${process.platform}-${process.arch}`
  const env = { ...process.env, npm_config_prefix: '', npm_config_nodedir: '' }
  run({ node: '', project, env }, ['npm', 'install', '--no-save', '--prefix', folder, `${platform}@${version}`])
  const home = join(folder, 'node_modules', platform)
  const installation = {
    node: join(home, 'bin', 'node'),
    project,
    env: { ...env, PATH: `${join(home, 'bin')}:${String(process.env['PATH'])}`, npm_config_nodedir: home }
  }
  run(installation, ['npm', 'ci', ...(startOnly ? ['--omit=dev'] : [])])
  return installation
}

/**
 * Migrates a database, issues a key, starts the service, and calls it with the key.
 *
 * @param {Installation} installation
 */
const start = async ({ node, project, env }) => {
  const settings = {
    ...env,
    CLIENT_SECRET: 'a secret that nothing but this trial of a start is sealed with',
    DATABASE_URL: `file:${join(project, 'start.db')}`,
    PORT: '0'
  }
  const options = /** @type {const} */ ({ cwd: project, env: settings, encoding: 'utf8' })
  const cli = join(project, 'dist', 'cli', 'trivial.js')
  execFileSync(node, [cli, 'db', 'migrate'], options)
  /** @type {{ key_access_token: string }} */
  const key = JSON.parse(execFileSync(node, [cli, 'key', 'issue', '--name', 'start', '--json'], options))

  const service = spawn(node, [join(project, 'dist', 'server.js')], {
    cwd: project,
    env: settings,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(service, 'exit')
  try {
    let printed = ''
    /** @type {Promise<string>} */
    const listening = new Promise((resolve, reject) => {
      service.stdout.setEncoding('utf8').on('data', text => {
        printed += String(text)
        const address = /Server listening at (http:[^"]+)"/.exec(printed)?.[1]
        if (address !== undefined) resolve(address)
      })
      ended.then(([code]) => {
        reject(new Error(`the service ended with ${String(code)} before it listened: ${printed}`))
      }, reject)
    })
    const { status } = await fetch(`${await listening}/apps`, {
      headers: { authorization: `Bearer ${key.key_access_token}` }
    })
    if (status !== 200) throw new Error(`GET /apps answered ${status}`)
  } finally {
    service.kill('SIGTERM')
  }
  const [code] = await ended
  if (code !== 0) throw new Error(`on SIGTERM the service ended with ${String(code)}`)
}

const { values, positionals: versions } = parseArgs({
  options: { 'start-only': { type: 'boolean', default: false } },
  allowPositionals: true
})
if (versions.length === 0) {
  console.error(USAGE)
  process.exit(2)
}

const startOnly = values['start-only']
const results = []
for (const version of versions) {
  const folder = mkdtempSync(join(tmpdir(), `trivial-api-node-${version}-`))
  try {
    const installation = install(folder, version, startOnly)
    const { node } = installation
    const name = execFileSync(node, ['-p', NAME], { encoding: 'utf8' }).trim()
    console.log(`\nNode ${name}`)
    await start(installation)
    // Coverage is judged on one version of Node: what V8 counts as a branch differs.
    if (!startOnly) {
      run(installation, ['npm', 'run', 'build'])
      run(installation, ['npm', 'run', 'build:test'])
      run(installation, ['npx', 'tap', '--disable-coverage'])
    }
    results.push(`Node ${name}: passed`)
  } catch (error) {
    process.exitCode = 1
    results.push(`Node ${version}: failed: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
console.log(`\n${results.join('\n')}`)
