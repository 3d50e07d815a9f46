import { toKeyJson } from '../keys/representation.ts'
import { runCommand } from './command.ts'
import { KEY_ARGUMENT, keyOf, printJson, withKeys } from './keys.ts'

/** Runs the command that stops a client key, or lets it in again. */
export const switchKey = async (command: string, { enabled, help, done }: { enabled: boolean, help: string, done: string }): Promise<void> => {
  await runCommand({
    help: `npm run ${command} -- <key> [--json]

${help}

  <key>    its id or its name, or - to read a token of it from standard input
  --json   the key as it is now, as one JSON object
  --help   this text`,

    options: { json: { type: 'boolean' } },
    argument: KEY_ARGUMENT,

    run: async ({ json }, argument) => {
      await withKeys(async (keys, author) => {
        const { id } = await keyOf(keys, argument)
        const key = await keys.change(id, { enabled }, author)
        if (json === true) printJson(toKeyJson(key))
        else console.log(`The client key ${key.name} is ${done}.`)
      })
    }
  })
}
