import { test } from 'tap'
import type { Test } from 'tap'
import { settings, temporaryFolder } from '../helper.ts'
import { command } from './terminal.ts'

/** Returns a function that runs a command on a new database. */
const commands = (t: Test) => {
  const { env } = settings(t)
  const cwd = temporaryFolder(t)
  return async (name: string, ...args: string[]) => await command(t, name, { args, env, cwd })
}

test('service add stores a service that service list and service show print', async t => {
  const run = commands(t)
  t.match(await run('service:list'), { code: 0, stdout: /There are no services. Add one: trivial service add <name>/ })
  const added = await run(
    'service:add',
    ...['orders', '--description', 'Takes orders', '--audience', 'https://orders.example.com'],
    ...['--scope', 'orders:read=Read orders', '--scope', 'orders:write']
  )
  t.match(added, {
    code: 0,
    stdout: /^A new service:\n\nname +orders\n[^]*scopes +orders:read {2}Read orders\n +orders:write\n/
  })
  t.match(added.stdout, /Receipt \d+-[0-9a-f-]+: the change applies to every request since/)
  t.match(JSON.parse((await run('service:add', 'ledger', '--json')).stdout), {
    name: 'ledger',
    description: null,
    audience: null,
    scopes: [],
    changed_keys: 0,
    receipt: { nodes: 0 }
  })
  t.match(
    (await run('service:list')).stdout,
    /^NAME +SCOPES +AUDIENCE +CREATED +DESCRIPTION\nledger +0 +- +\S+ +-\norders +2 +https:\S+ +\S+ +Takes orders\n$/
  )
  t.match(JSON.parse((await run('service:list', '--json')).stdout), [{ name: 'ledger' }, { name: 'orders' }])
  t.match(await run('service:show', 'ledger'), {
    stdout: /^name +ledger\ndescription +-\naudience +-\ncreated[^]*updated/
  })
  t.match(JSON.parse((await run('service:show', 'orders', '--json')).stdout), {
    scopes: [
      { name: 'orders:read', description: 'Read orders' },
      { name: 'orders:write', description: null }
    ]
  })
  t.match(await run('service:show', 'bills'), { code: 1, stderr: /No service has this name/ })
})

test('service list prints all pages', async t => {
  const run = commands(t)
  for (let number = 100; number <= 200; number++) await run('service:add', `s${number}`)
  t.equal(JSON.parse((await run('service:list', '--json')).stdout).length, 101)
})

test('service change replaces the scopes, keeps their descriptions, and takes scopes only with --force', async t => {
  const run = commands(t)
  await run('service:add', 'orders', '--scope', 'orders:read=Read orders', '--scope', 'orders:write')
  await run('key:issue', '--name', 'k', '--scope', 'orders:write', '--scope', 'apps:read')
  t.match(await run('service:change', 'orders'), { code: 2, stderr: /Specify what to change/ })
  t.match(await run('service:change', 'orders', '--scope', 'orders:read'), {
    code: 1,
    stderr: /1 client key has scopes that would be removed. Nothing was changed.[^]*add --force/
  })
  const changed = await run('service:change', 'orders', '--scope', 'orders:read', '--force', '--audience', 'urn:orders')
  t.match(changed, {
    code: 0,
    stdout: /^The service was changed. One client key lost scopes.\n[^]*orders:read {2}Read orders/
  })
  t.match(await run('key:show', 'k'), { stdout: /scopes +apps:read\n/ })
  const json = JSON.parse(
    (await run('service:change', 'orders', '--audience', 'none', '--description', 'Other', '--json')).stdout
  )
  t.match(json, { audience: null, description: 'Other', scopes: [{ description: 'Read orders' }], changed_keys: 0 })
})

test('service remove takes the scopes of the service from its keys', async t => {
  const run = commands(t)
  await run('service:add', 'orders', '--scope', 'orders:read')
  await run('key:issue', '--name', 'one', '--scope', 'orders:read')
  await run('key:issue', '--name', 'all', '--scope', 'orders:*')
  t.match(await run('service:remove', 'orders'), { code: 1, stderr: /2 client keys have scopes/ })
  t.match(await run('service:remove', 'orders', '--force'), {
    code: 0,
    stdout: /^The service orders was removed. 2 client keys lost scopes.\nReceipt /
  })
  t.match(await run('key:show', 'one'), { stdout: /scopes +none\n/ })
  t.match(await run('key:list'), { stdout: /all +active +none/ })
  await run('service:add', 'orders')
  t.match(JSON.parse((await run('service:remove', 'orders', '--json')).stdout), { name: 'orders', changed_keys: 0 })
  t.match(await run('audit:list', '--json'), { stdout: /service\.delete/ })
})

test('the commands for services explain what is wrong with their values', async t => {
  const run = commands(t)
  const refused: [string[], RegExp][] = [
    [['service:add', 'Orders'], /The name must be 2 to 41/],
    [['service:add', 'apps'], /The name is reserved/],
    [['service:add', 'orders', '--scope', 'orders:a', '--scope', 'ledger:b'], /--scope number 2 must be the name/],
    [['service:add', 'orders', '--audience', ''], /--audience must/],
    [['service:add'], /service/]
  ]
  for (const [[name = '', ...args], stderr] of refused) t.match(await run(name, ...args), { code: 2, stderr }, name)
  await run('service:add', 'orders')
  t.match(await run('service:add', 'orders'), { code: 1, stderr: /Another service has this name/ })
  t.match(await run('key:issue', '--name', 'k', '--scope', 'orders:read'), {
    code: 2,
    stderr: /--scope number 1 must be orders:\*/
  })
  t.match(await run('key:issue', '--name', 'k', '--scope', 'Apps'), { code: 2, stderr: /--scope must be \* or/ })
})
