import type { UsedEnvironmentKey } from '../domain/keys/records.ts'
import type { SecretUse } from '../domain/keys/secret-uses.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { command, DONE, jsonOption } from './command.ts'
import { formatTimestamp } from './key-rows.ts'
import { readKeys } from './keys.ts'
import type { Terminal } from './terminal.ts'

export default command({
  description: `Shows each secret that is configured or that tokens still depend on. For each secret, the command shows
the number of active tokens that belong to managed keys, and when they were last used. Use it to find out whether you
can remove an entry from CLIENT_SECRET_PREVIOUS.

Tokens for environment keys are not stored, so they can't be counted. For each environment key, the command shows which
secrets sealed the tokens that were used, and when they were last used.`,

  options: jsonOption(
    'print a JSON array with an entry for each combination of secret and key source; generation is null for unused keys'
  ),

  run: async ({ json }, terminal) =>
    await readKeys(terminal, async keys => {
      const secrets = await keys.secrets()
      const uses = usesOf(await keys.environmentKeys(), keys)
      if (json === true) terminal.printJson([...secrets.map(toJson), ...environmentJson(uses)])
      else print(terminal, secrets, uses)
      return DONE
    })
})

/** When an environment key was last used with tokens from one secret. An unused key has one entry without a secret. */
interface Use {
  id: string
  /** An entry for the key in CLIENT_KEYS, or null if the `key_id` could be guessed from the entry. */
  entry: string | null
  generation: string | null
  secret: string | null
  lastUsedAt: Date | null
}

const usesOf = (environmentKeys: readonly UsedEnvironmentKey[], keys: KeyService): Use[] =>
  environmentKeys.flatMap(({ key: { id }, tokens }): Use[] => {
    const key = { id, entry: keys.allowListEntry(id) }
    if (tokens.length === 0) return [{ ...key, generation: null, secret: null, lastUsedAt: null }]
    return tokens.map(({ generation, lastUsedAt }) => {
      return { ...key, generation, secret: keys.secretOf(generation), lastUsedAt }
    })
  })

const toJson = ({ use, secret }: SecretUse): object => ({
  generation: use.generation,
  secret,
  source: 'managed',
  live_tokens: use.activeTokens,
  last_used_at: use.lastUsedAt
})

const environmentJson = (uses: readonly Use[]): object[] =>
  [...new Set(uses.map(({ generation }) => generation))].map(generation => {
    const own = uses
      .filter(use => use.generation === generation)
      .sort((a, b) => Number(b.lastUsedAt) - Number(a.lastUsedAt))
    return {
      generation,
      secret: own[0]?.secret,
      source: 'environment',
      live_tokens: null,
      last_used_at: own[0]?.lastUsedAt,
      keys: own.map(({ id, entry, lastUsedAt }) => ({ id, digest: entry, last_used_at: lastUsedAt }))
    }
  })

const print = (terminal: Terminal, secrets: readonly SecretUse[], uses: readonly Use[]): void => {
  terminal.printTable([
    ['GENERATION', 'SECRET', 'KEYS', 'ACTIVE TOKENS', 'LAST USED'],
    ...secrets.map(({ use, secret }) => [
      use.generation,
      secret ?? NOT_CONFIGURED,
      'managed',
      String(use.activeTokens),
      formatTimestamp(use.lastUsedAt, 'never')
    ])
  ])
  if (uses.length === 0) return
  const count = new Set(uses.map(({ id }) => id)).size
  terminal.print(`\nEnvironment keys: ${count}. Their tokens are not stored. They were used as follows:\n`)
  terminal.printTable([
    ['KEY', 'GENERATION', 'SECRET', 'LAST USED'],
    ...uses.map(({ id, generation, secret, lastUsedAt }) => [
      id,
      generation ?? '-',
      generation === null ? '-' : (secret ?? NOT_CONFIGURED),
      formatTimestamp(lastUsedAt, 'never')
    ])
  ])
}

const NOT_CONFIGURED = 'not configured'
