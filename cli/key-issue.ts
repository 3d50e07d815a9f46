import { environment, readConfig } from '../config/read.ts'
import { createTokenSealer, digestOf, issueClientKey } from '../keys/token.ts'
import { runCommand } from './command.ts'

await runCommand({
  help: `npm run key:issue [-- --json]

Makes a client key: a key_id and the key_access_token it is sealed in. It needs CLIENT_SECRET, in the environment or in
.env, and stores nothing: what it prints is the only copy.

  --json   one JSON object with key_id and key_access_token on standard output, all else on standard error
           (npm run --silent key:issue -- --json)
  --help   this text`,

  options: { json: { type: 'boolean' } },

  run: async ({ json }) => {
    const { CLIENT_SECRET } = readConfig(environment(), ['CLIENT_SECRET'])
    const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(CLIENT_SECRET))
    const digestLine = `CLIENT_KEYS=sha256:${digestOf(keyId)}`

    if (json === true) {
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

Then restart the service: a restart makes an environment key live. The client sends:

  Authorization: Bearer ${keyAccessToken}`)
  }
})
