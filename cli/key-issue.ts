import { join } from 'node:path'
import { environment, readConfig } from '../config/read.ts'
import { checked } from '../domain/json/validation.ts'
import { NewKeyBody, toKeyChange } from '../domain/keys/fields.ts'
import { toKeyJson } from '../domain/keys/representation.ts'
import { createTokenSealer, digestOf, issueClientKey } from '../domain/keys/token.ts'
import { command, DONE } from './command.ts'
import { saveToDotenv } from './dotenv.ts'
import { CommandError, UsageError } from './failures.ts'
import { policyRows } from './key-rows.ts'
import { withKeys } from './keys.ts'
import { POLICY_HELP, policyBody, policyOptions } from './policy-options.ts'
import type { Terminal } from './terminal.ts'

/** A key for CLIENT_KEYS: nothing is stored, but for its digest in `.env` with `allow`. */
const issueForEnvironment = (terminal: Terminal, allow: boolean, json: boolean): void => {
  const env = terminal.environment()
  const { CLIENT_SECRET } = readConfig(env, ['CLIENT_SECRET'])
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(CLIENT_SECRET))
  const digest = `sha256:${digestOf(keyId)}`
  const hasEntries = env['CLIENT_KEYS'] !== undefined
  if (allow) allowInDotenv(terminal, digest)

  if (json) {
    terminal.print(JSON.stringify({ key_id: keyId, key_access_token: keyAccessToken, digest }))
    terminal.warn(
      `Neither key_id nor key_access_token can be shown again. ${allow ? ALLOWED : howToAllow([digest], hasEntries)}`
    )
    return
  }
  terminal.print(`A new client key. Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}

${allow ? ALLOWED : howToAllow([keyId, digest], hasEntries)} (A key with --name is live at once.)

The client sends:

  Authorization: Bearer ${keyAccessToken}`)
}

const ALLOWED =
  'Its digest is in CLIENT_KEYS in .env now. Restart the service: a restart makes an environment key live.'

const howToAllow = (values: readonly string[], hasEntries: boolean): string =>
  `To allow it, ${hasEntries ? 'add it to CLIENT_KEYS in .env, where the entries that are there (…) stay' : 'put it into .env'}:

${values.map(value => `  CLIENT_KEYS=${hasEntries ? '…,' : ''}${value}`).join('\n\nor, which reveals nothing if .env leaks:\n\n')}

npm run key:issue -- --allow does this itself. Then restart the service: a restart makes an environment key live.`

const allowInDotenv = (terminal: Terminal, entry: string): void => {
  const dotenv = join(terminal.cwd, '.env')
  if (terminal.environment()['CLIENT_KEYS'] !== environment(dotenv, {})['CLIENT_KEYS']) {
    throw new CommandError(
      'CLIENT_KEYS is set in the environment, which goes before .env: an entry in .env would allow nothing. Issue the key without --allow, and add it where CLIENT_KEYS is set.'
    )
  }
  saveToDotenv(dotenv, ({ CLIENT_KEYS: entries = '' }) => ({
    CLIENT_KEYS: entries.trim() === '' ? entry : `${entries},${entry}`
  }))
}

export default command({
  help: `npm run key:issue [-- --name <name> [options] | --allow] [-- --json]

Makes a client key: a key_id and the key_access_token it is sealed in. What it prints is the only copy.

With --name, the key is stored in the database of DATABASE_URL and good at once, for a service that runs as well:

  --name <name>         what people call the key; unique among keys that are not revoked
${POLICY_HELP}

Without --name, nothing is stored: add the key_id, or its digest, to CLIENT_KEYS and restart the service.

  --allow               adds the digest to CLIENT_KEYS in .env, and keeps the entries that are there

  --json                one JSON object with key_id and key_access_token on standard output, without --name its digest too,
                        all else on standard error (npm run --silent key:issue -- --json)
  --help                this text`,

  options: { name: { type: 'string' }, allow: { type: 'boolean' }, ...policyOptions, json: { type: 'boolean' } },

  run: async ({ name, allow = false, json = false, ...values }, terminal) => {
    const policy = policyBody(values)
    if (name === undefined) {
      if (Object.keys(policy).length > 0) throw new UsageError('Only a key with a --name can be held to a policy.')
      issueForEnvironment(terminal, allow, json)
      return DONE
    }
    if (allow) throw new UsageError('A key with a --name is live at once: it needs no --allow.')
    return await withKeys(terminal, async (keys, author) => {
      const wanted = toKeyChange(checked(NewKeyBody, { name, ...policy }))
      const { key, keyId, keyAccessToken } = await keys.issue({ ...wanted, name }, author)
      if (json) {
        terminal.printJson({ ...toKeyJson(key), key_id: keyId, key_access_token: keyAccessToken })
        return DONE
      }
      terminal.print('A new client key, which is live now:\n')
      terminal.printTable([['id', key.id], ['name', key.name], ...policyRows(key)].map(row => ['', ...row]))
      terminal.print(`
Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}

The client sends:

  Authorization: Bearer ${keyAccessToken}`)
      return DONE
    })
  }
})
