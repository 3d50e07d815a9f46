import { CommandError } from '../../cli/failures.ts'
import { table } from '../../cli/table.ts'
import type { Terminal } from '../../cli/terminal.ts'
import type { Node } from './nodes.ts'

/** The running nodes and their proxy. */
export interface Cluster {
  readonly nodes: readonly Node[]
  /** The address of the proxy in front of the nodes. */
  readonly base: string
  /** A `key_access_token` with all scopes. */
  readonly token: string
}

interface IssuedKey {
  readonly id: string
  readonly key_access_token: string
}

interface Receipt {
  readonly id: string
  readonly effective_at: string
  readonly nodes: number
  readonly acknowledged: number
  readonly leases_ended: number
  readonly waited_ms: number
}

/**
 * Issues a key and shows that every node accepts it. Revokes it, and shows the receipt and that every node refuses it.
 */
export const showRevocation = async ({ nodes, base, token }: Cluster, { print }: Terminal): Promise<void> => {
  const [first] = nodes
  print('1. Node 1 issues a key. Every node accepts it, and caches it.\n')
  const key = await issue(String(first?.base), token, 'first')
  print(`${await tryAll(nodes, key)}\n`)

  print('2. The key is revoked through the proxy, by any of the nodes. The reply is a receipt:\n')
  print(`${describe(await revoke(base, token, key))}\n`)
  print('   Every request after the receipt is refused, although each node had cached the key:\n')
  print(`${await tryAll(nodes, key)}\n`)
}

/** Shows the same while one node hangs and can't acknowledge the change. */
export const showLease = async ({ nodes, token }: Cluster, { print }: Terminal): Promise<void> => {
  const [first, ...others] = nodes
  const hung = others.at(-1)
  if (first === undefined || hung === undefined) return
  const key = await issue(first.base, token, 'second')
  await tryAll(nodes, key)

  hung.freeze()
  print(`3. Another key, which every node has cached, is revoked while ${hung.name} is stopped (SIGSTOP).
   The receipt waits until the lease of that node has ended, because the node could accept the key until then.\n`)
  print(`${describe(await revoke(first.base, token, key))}\n`)
  const late = attempt(hung, key)
  hung.thaw()
  print(`   ${hung.name} continues (SIGCONT) with a waiting request. The key is still in its cache, but is refused:\n`)
  print(`${rowsText([...(await Promise.all(nodes.slice(0, -1).map(node => attempt(node, key)))), await late])}\n`)
}

const issue = async (base: string, token: string, name: string): Promise<IssuedKey> =>
  (await send(`${base}/client_keys`, token, { name, scopes: ['apps:read'] })) as IssuedKey

const revoke = async (base: string, token: string, { id }: IssuedKey): Promise<Receipt> => {
  const { receipt } = (await send(`${base}/client_keys/${id}/revoke`, token, {})) as { receipt: Receipt | null }
  if (receipt === null) throw new CommandError('The key is revoked, but the database was lost before the receipt.')
  return receipt
}

const send = async (url: string, token: string, body: object): Promise<unknown> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new CommandError(`POST ${url} failed with ${response.status}: ${await response.text()}`)
  return await response.json()
}

const tryAll = async (nodes: readonly Node[], key: IssuedKey): Promise<string> =>
  rowsText(await Promise.all(nodes.map(node => attempt(node, key))))

/** Sends a request with the key to the node, and returns a table row with the result. */
const attempt = async ({ name, base }: Node, { key_access_token: token }: IssuedKey): Promise<string[]> => {
  const response = await fetch(`${base}/apps`, { headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  return ['GET /apps', name, String(response.status), response.ok ? 'accepted' : 'refused']
}

const describe = (receipt: Receipt): string =>
  rowsText([
    ['acknowledged by', `${receipt.acknowledged} of ${receipt.nodes} nodes`],
    ['leases ended', String(receipt.leases_ended)],
    ['waited', `${receipt.waited_ms} ms`],
    ['effective at', receipt.effective_at],
    ['receipt', receipt.id]
  ])

const rowsText = (rows: readonly (readonly string[])[]): string => table(rows).replaceAll(/^/gm, '     ')
