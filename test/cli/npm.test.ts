import { test } from 'tap'
import { operator } from '../helper.ts'
import { terminal, wordsOf } from './terminal.ts'

/** Returns the variables that npm adds to a script's environment. */
const npm = (name: string, config: Record<string, string> = {}): Record<string, string> => ({
  npm_lifecycle_event: name,
  ...Object.fromEntries(Object.entries(config).map(([option, value]) => [`npm_config_${option}`, value]))
})

test('if npm consumed options, the command does nothing and shows the correct command', async t => {
  const { cli, registry } = terminal(t, { CLIENT_KEYS: '' })
  await (await registry()).issue({ name: 'a' }, operator)
  const runs: [typed: string, name: string, args: string[], kept: Record<string, string>][] = [
    ['npm run key:issue -- --name …', 'key:issue', [], { name: 'x' }],
    ['npm run key:issue -- --scope … --json', 'key:issue', ['--name', 'b'], { scope: 'apps:read', json: 'true' }],
    ['npm run key:issue -- --allow-ip … --rate …', 'key:issue', ['::1', '1/1s'], { allow_ip: 'true', rate: 'true' }],
    ['npm run key:issue -- --allow-ip …', 'key:issue', [], { 'allow-ip': '::1' }],
    ['npm run key:revoke -- <key> --reason …', 'key:revoke', ['a', 'stolen'], { reason: 'true' }],
    ['npm run key:rotate -- [<key>] --generation … --out …', 'key:rotate', [], { generation: 'true', out: 'true' }],
    ['npm run key:list -- --enabled …', 'key:list', [], { enabled: '' }],
    ['npm run user:create -- --email …', 'user:create', ['ada@example.com'], { email: 'true' }],
    ['npm run quickstart -- --once', 'quickstart', [], { once: 'true' }]
  ]
  for (const [typed, name, args, kept] of runs) {
    const { code, stdout, stderr } = await cli(name, args, '', npm(name, kept))
    t.same([code, stdout], [2, ''], typed)
    t.match(stderr, /^npm removed --[a-z-]+( and --[a-z]+)?\. Put -- before the options: /)
    t.equal(stderr.split('\n', 1)[0]?.split('options: ')[1], typed)
    const run = `run: node dist/cli/trivial\\.js ${wordsOf(name).join(' ')}`
    t.match(stderr, new RegExp(`\\n\\(If an \\.npmrc sets --[a-z -]+, ${run}\\)`))
  }
  t.match(JSON.parse((await cli('key:list', ['--all', '--json'])).stdout), [{ name: 'a', revoked_at: null }])
})

test("npm's own options do not prevent a command from running", async t => {
  const { cli } = terminal(t, { CLIENT_KEYS: '' })
  const list = async (args: string[], env: Record<string, string>): Promise<number> =>
    (await cli('key:list', args, '', env)).code
  const { code, stderr } = await cli(
    'user:create',
    [],
    '',
    npm('user:create', { email: 'ada@example.com', json: '', loglevel: 'silent' })
  )
  t.same(
    [code, stderr.split('\n', 1)[0]],
    [2, 'Specify an --email and a --name.'],
    'an email option may come from an .npmrc file'
  )
  t.equal(await list([], npm('key:list', { scope: '@corp', json: '' })), 0, 'scope is also an npm option for packages')
  t.equal(
    (await cli('key:issue', [], '', npm('key:issue', { description: '' }))).code,
    0,
    'description is also an npm option for searches'
  )
  t.equal(await list(['--name', 'a'], npm('key:list', { name: 'b' })), 0, 'the option was also passed to the command')
  t.equal(await list([], npm('test', { name: 'b' })), 0, 'another script is running')
  t.equal(await list([], { npm_config_name: 'b' }), 0, 'no script is running')
  t.equal(await list(['--help'], npm('key:list', { json: 'true' })), 0, 'a request for help is never refused')
})

test('the error about unexpected arguments mentions a possibly missing -- if npm runs the command', async t => {
  const { cli } = terminal(t)
  const hint = /Put -- before the options, because npm removes them otherwise: npm run key:\w+ -- …\n/
  t.match(await cli('key:issue', ['what it is for'], '', npm('key:issue')), { code: 2, stdout: '', stderr: hint })
  t.match(await cli('key:usage', ['a', '7'], '', npm('key:usage')), { code: 2, stdout: '', stderr: hint })
  const others = [await cli('key:issue', ['x']), await cli('key:show', [], '', npm('key:show'))]
  for (const { code, stderr } of others) {
    t.equal(code, 2)
    t.notMatch(stderr, hint)
  }
})
