import { toGenerationJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption } from './command.ts'
import { instantText } from './key-rows.ts'
import { readKeys } from './keys.ts'

export default command({
  description: `Shows, for each secret that is configured and each that tokens still depend on, how many tokens are
active and when they were last used: whether an entry of CLIENT_SECRET_PREVIOUS may go. Tokens of keys in CLIENT_KEYS
are not stored, so they can't be counted; when they were last used is known.`,

  options: jsonOption('a JSON array'),

  run: async ({ json }, terminal) => {
    return await readKeys(terminal, async keys => {
      const secrets = await keys.secrets()
      if (json === true) {
        terminal.printJson(secrets.map(({ use, secret }) => toGenerationJson(use, secret)))
        return DONE
      }
      terminal.printTable([
        ['GENERATION', 'SECRET', 'KEYS', 'LIVE TOKENS', 'LAST USED'],
        ...secrets.map(({ use, secret }) => [
          use.generation,
          secret ?? 'not configured',
          use.source,
          String(use.liveTokens ?? 'unknown'),
          instantText(use.lastUsedAt, 'never')
        ])
      ])
      return DONE
    })
  }
})
