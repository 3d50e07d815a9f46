import { environment, readConfig } from '../config/read.ts'
import { checked } from '../json/validation.ts'
import { NewKeyBody, toKeyChange } from '../keys/fields.ts'
import { toKeyJson } from '../keys/representation.ts'
import { createTokenSealer, digestOf, issueClientKey } from '../keys/token.ts'
import { runCommand, UsageError } from './command.ts'
import { policyRows, printJson, printTable, withKeys } from './keys.ts'
import { POLICY_HELP, policyBody, policyOptions } from './policy-options.ts'

/** A key for CLIENT_KEYS: nothing is stored. */
const issueForEnvironment = (json: boolean): void => {
  const { CLIENT_SECRET } = readConfig(environment(), ['CLIENT_SECRET'])
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(CLIENT_SECRET))
  const digestLine = `CLIENT_KEYS=sha256:${digestOf(keyId)}`

  if (json) {
    console.log(JSON.stringify({ key_id: keyId, key_access_token: keyAccessToken }))
    console.error(`Neither value can be shown again. To allow the key, put its key_id into CLIENT_KEYS in .env, or this digest, which
reveals nothing if .env leaks, and restart the service:

  ${digestLine}`)
    return
  }
  console.log(`A new client key. Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}

To allow it, put one of these lines into .env; where CLIENT_KEYS has entries already, add this one after a comma. The
second reveals nothing if .env leaks:

  CLIENT_KEYS=${keyId}
  ${digestLine}

Then restart the service: a restart makes an environment key live. (A key with --name is live at once.) The client sends:

  Authorization: Bearer ${keyAccessToken}`)
}

await runCommand({
  help: `npm run key:issue [-- --name <name> [options]] [-- --json]

Makes a client key: a key_id and the key_access_token it is sealed in. What it prints is the only copy.

With --name, the key is stored in the database of DATABASE_URL and good at once, for a service that runs as well:

  --name <name>         what people call the key; unique among keys that are not revoked
${POLICY_HELP}

Without --name, nothing is stored: put the key_id, or its digest, into CLIENT_KEYS and restart the service.

  --json                one JSON object with key_id and key_access_token on standard output, all else on standard error
                        (npm run --silent key:issue -- --json)
  --help                this text`,

  options: { name: { type: 'string' }, ...policyOptions, json: { type: 'boolean' } },

  run: async ({ name, json = false, ...values }) => {
    const policy = policyBody(values)
    if (name === undefined) {
      if (Object.keys(policy).length > 0) throw new UsageError('Only a key with a --name can be held to a policy.')
      issueForEnvironment(json)
      return
    }
    await withKeys(async (keys, author) => {
      const wanted = toKeyChange(checked(NewKeyBody, { name, ...policy }))
      const { key, keyId, keyAccessToken } = await keys.issue({ ...wanted, name }, author)
      if (json) {
        printJson({ ...toKeyJson(key), key_id: keyId, key_access_token: keyAccessToken })
        return
      }
      console.log('A new client key, which is live now:\n')
      printTable([['id', key.id], ['name', key.name], ...policyRows(key)].map(row => ['', ...row]))
      console.log(`
Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}

The client sends:

  Authorization: Bearer ${keyAccessToken}`)
    })
  }
})
