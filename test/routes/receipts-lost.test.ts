import { test } from 'tap'
import { createServer } from '../../app.ts'
import { settings } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'

const PUBLIC_URL = 'https://example.com/keys'

/** Simulates restoring a backup from before the change, at the moment when the change is committed. */
const FORGET = `
  create function forget_change() returns trigger language plpgsql as $$
  begin
    delete from client_key_changes where epoch = new.epoch;
    return null;
  end $$;
  create constraint trigger forget_change after insert on client_key_changes
  deferrable initially deferred for each row execute function forget_change()
`

test('a change whose receipt cannot be determined gets 202 with the URL of the receipt', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { env, key } = settings(t, { DATABASE_URL: url, METRICS_PORT: '0', PUBLIC_URL })
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  const headers = { authorization: `Bearer ${key.keyAccessToken}` }
  const { id } = (await fastify.inject({ method: 'POST', url: '/client_keys', headers, payload: { name: 'k' } })).json()
  const change = async () =>
    await fastify.inject({ method: 'PATCH', url: `/client_keys/${id}`, headers, payload: { enabled: false } })
  const known = await change()
  t.match(known, { statusCode: 200 })
  t.match(known.json().receipt, { nodes: 1, acknowledged: 1, leases_ended: 0 })

  await execute(url, FORGET)
  t.teardown(async () => {
    await execute(url, 'drop function forget_change cascade')
  })
  const warnings = t.capture(fastify.log, 'warn')
  const lost = await change()
  t.match(
    warnings(),
    [
      {
        args: [
          { err: { cause: { message: /no longer in the database/ } } },
          /^could not confirm a change to a client key;/
        ]
      }
    ],
    'the log contains the reason'
  )
  t.match(lost, {
    statusCode: 202,
    headers: { location: /^https:\/\/example\.com\/keys\/receipts\/\d+-[-0-9a-f]{36}$/ }
  })
  t.match(lost.json(), { id, enabled: false, receipt: null })
  const receiptUrl = String(lost.headers.location).slice(PUBLIC_URL.length)
  t.equal((await fastify.inject({ url: receiptUrl, headers })).statusCode, 404, 'the receipt does not exist')
})

test("a service that can't renew its lease logs the failure once, and the recovery", async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { env, key } = settings(t, { DATABASE_URL: url, KEY_LEASE_MS: '0', LOG_LEVEL: 'info' })
  const lines: string[] = []
  t.intercept(process.stdout, 'write', { value: (line: string) => lines.push(line) > 0 })
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  const status = async () =>
    (await fastify.inject({ url: '/client_keys/me', headers: { authorization: `Bearer ${key.keyAccessToken}` } }))
      .statusCode
  t.equal(await status(), 200)
  const [node] = (await execute(url, 'select id from nodes')) as [{ id: string }]
  lines.length = 0
  await execute(url, 'alter table nodes rename to hidden')
  t.same([await status(), await status()], [503, 503])
  await execute(url, 'alter table hidden rename to nodes')
  t.equal(await status(), 200)
  const renewals = lines.filter(line => line.includes("renew this node's lease")).map(line => JSON.parse(line))
  t.match(renewals, [
    { level: 40, err: { message: /"nodes" does not exist/ }, msg: /^could not renew this node's lease;/ },
    { level: 30, msg: "can renew this node's lease again" }
  ])
  t.notMatch(JSON.stringify(renewals), node.id)
  t.notMatch(lines.join(''), key.keyId)
})
