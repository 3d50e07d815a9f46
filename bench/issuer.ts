import { setImmediate } from 'node:timers/promises'
import { answerParent } from './child.ts'
import { issueKey, withRegistry } from './registry.ts'

// A process of its own, as another instance of the service or its command line would be.

export interface Issuing {
  /** The path of an SQLite database. */
  database: string
  secret: string
}

let stopping = new AbortController()
let end: Promise<number> = Promise.resolve(0)

const issueOnAndOn = async (
  { database, secret }: Issuing,
  { signal }: AbortController,
  begun: () => void
): Promise<number> =>
  await withRegistry(database, secret, async keys => {
    let issued = 0
    const start = performance.now()
    begun()
    while (!signal.aborted) {
      await issueKey(keys)
      issued++
      await setImmediate()
    }
    return (issued / (performance.now() - start)) * 1000
  })

const answers = {
  /** Begins to issue keys, one after another. */
  begin: async (issuing: Issuing): Promise<void> => {
    stopping = new AbortController()
    await new Promise<void>((resolve, reject) => {
      end = issueOnAndOn(issuing, stopping, resolve)
      end.catch(reject)
    })
  },

  /** How many keys a second were issued. */
  end: async (): Promise<number> => {
    stopping.abort()
    return await end
  }
}

export type IssuerAnswers = typeof answers

answerParent(answers)
