import type { RequestContext } from '../domain/access/principal.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { checked } from '../http/validation.ts'
import { RevokeBody, toReason } from '../http/representations/key-fields.ts'
import { toChangedJson } from '../http/representations/keys.ts'
import { toRevokedOwnerJson } from '../http/representations/owners.ts'
import { command, DONE, jsonOption } from './command.ts'
import { keyOf, withKeys, receiptText } from './keys.ts'
import { KEY_OR_OWNER, toOwnerOrNull } from './owner.ts'
import type { Terminal } from './terminal.ts'

export default command({
  description: `Revokes a client key and all its tokens, immediately and permanently. This also works for environment
keys, without a restart. Remove their entries from CLIENT_KEYS as well. With --owner, the command revokes all keys of
that owner in one transaction.`,

  options: {
    owner: { value: '<text>', help: 'revoke all keys of this owner' },
    reason: { value: '<text>', help: 'the reason for the revocation, as displayed by key show' },
    ...jsonOption('print the revoked key, or the owner and the number of keys, as one JSON object')
  },
  argument: KEY_OR_OWNER,

  run: async ({ owner: given, reason: text = null, json = false }, terminal, argument) => {
    const owner = toOwnerOrNull(argument, given)
    const reason = toReason(checked(RevokeBody, { reason: text }))
    await withKeys(terminal, async (keys, context) => {
      if (owner === null) await revokeOne(terminal, keys, { argument, reason, context, json })
      else await revokeAll(terminal, keys, { owner, reason, context, json })
    })
    return DONE
  }
})

interface Revocation {
  readonly reason: string | null
  readonly context: RequestContext
  readonly json: boolean
}

const revokeOne = async (
  terminal: Terminal,
  keys: KeyService,
  { argument, reason, context, json }: Revocation & { readonly argument: string }
): Promise<void> => {
  const { id } = await keyOf(terminal, keys, argument)
  const changed = await keys.revoke(id, reason, context)
  const next = changed.key.source === 'environment' ? [whatToRemove(keys.allowListEntry(id))] : []
  if (json) {
    terminal.printJson(toChangedJson(changed))
    await terminal.flush()
    next.forEach(terminal.warn)
  } else {
    const done = `The client key ${changed.key.name} and all its tokens were revoked.`
    terminal.print([done, receiptText(changed), ...next].join('\n'))
  }
}

const revokeAll = async (
  terminal: Terminal,
  keys: KeyService,
  { owner, reason, context, json }: Revocation & { readonly owner: string }
): Promise<void> => {
  const revoked = await keys.revokeOwner(owner, reason, context)
  if (json) terminal.printJson(toRevokedOwnerJson(revoked))
  else terminal.print(`Client keys of ${owner} that were revoked: ${revoked.count}.\n${receiptText(revoked)}`)
}

// Otherwise, the entry would allow the key again if the service used another database or an older backup.
const whatToRemove = (entry: string | null): string =>
  `Remove its entry from CLIENT_KEYS as well: the key_id${entry === null ? '' : `, or ${entry}`}.`
