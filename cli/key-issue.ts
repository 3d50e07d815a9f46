import { checked } from '../http/validation.ts'
import { NewKeyBody, toKeyChange } from '../http/representations/key-fields.ts'
import { toKeyJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption } from './command.ts'
import { callText, credentialsText } from './credentials.ts'
import { issueForEnvironment } from './environment-key.ts'
import { UsageError } from './failures.ts'
import { policyRows } from './key-rows.ts'
import { withKeys } from './keys.ts'
import type { OptionSpecs } from './options.ts'
import { policyBody, policyOptions } from './policy-options.ts'
import type { Terminal } from './terminal.ts'

const WITH_NAME = 'With --name:'

const inGroup = <O extends OptionSpecs>(group: string, specs: O): O =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, { ...spec, group }])) as O

export default command({
  description: `Issues a client key: a key_id, and a key_access_token that contains the sealed key_id. Both are printed
only once.

With --name, the key is stored in the database specified by DATABASE_URL and is active immediately, even if the service
is already running. Without --name, nothing is stored. To use the key, add the key_id or its digest to CLIENT_KEYS and
restart the service.`,

  options: {
    name: {
      value: '<name>',
      group: WITH_NAME,
      help: 'the name of the key, which must be unique among keys that are not revoked'
    },
    ...inGroup(WITH_NAME, policyOptions),
    allow: {
      group: 'Without --name:',
      help: 'add the digest to CLIENT_KEYS in .env, and keep the existing entries'
    },
    ...jsonOption(`print one JSON object with key_id and key_access_token to standard output, and also the digest if
--name is not given; print everything else to standard error`)
  },

  run: async ({ name, allow = false, json = false, ...values }, terminal) => {
    const policy = policyBody(values)
    if (name === undefined) {
      if (Object.keys(policy).length > 0) throw new UsageError('Only a key with a --name can have a policy.')
      await issueForEnvironment(terminal, allow, json)
      return DONE
    }
    if (allow) throw new UsageError('A key with a --name is active immediately. Omit --allow.')
    await issueManaged(terminal, name, policy, json)
    return DONE
  }
})

const issueManaged = async (
  terminal: Terminal,
  name: string,
  policy: ReturnType<typeof policyBody>,
  json: boolean
): Promise<void> => {
  await withKeys(terminal, async (keys, context) => {
    const wanted = toKeyChange(checked(NewKeyBody, { name, ...policy }), keys.now())
    const { key, keyId, keyAccessToken } = await keys.issue({ ...wanted, name }, context)
    if (json) terminal.printJson({ ...toKeyJson(key), key_id: keyId, key_access_token: keyAccessToken })
    else {
      terminal.print('A new client key, which is active now:\n')
      terminal.printTable([['id', key.id], ['name', key.name], ...policyRows(key)].map(row => ['', ...row]))
      terminal.print(`\n${credentialsText(keyId, keyAccessToken)}\n\n${callText(keyAccessToken)}`)
    }
    await terminal.flush(
      `The key is active nevertheless. Rotate it to get another token: ${terminal.invocation('key rotate', key.id)}`
    )
  })
}
