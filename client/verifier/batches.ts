/** The maximum number of entries that the service accepts in one request. */
export const MAX_BATCH = 100

/** Asks about several entries. Resolves with one result for each, in the same order. */
export type Ask<Entry, Result> = (entries: readonly Entry[]) => Promise<readonly Result[]>

interface Call<Entry, Result> {
  readonly entry: Entry
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Creates a function that asks about one entry. All calls in one turn of the event loop are sent together, after the
 * last of them. A call never joins a batch that has been sent, because its result could be older than the call.
 */
export const createBatches = <Entry, Result>(ask: Ask<Entry, Result>): ((entry: Entry) => Promise<Result>) => {
  let waiting: Call<Entry, Result>[] = []

  const send = async (calls: readonly Call<Entry, Result>[]): Promise<void> => {
    try {
      const results = await ask(calls.map(({ entry }) => entry))
      for (const [index, result] of results.entries()) calls[index]?.resolve(result)
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
  }

  const endTurn = (): void => {
    const calls = waiting
    waiting = []
    for (let start = 0; start < calls.length; start += MAX_BATCH) void send(calls.slice(start, start + MAX_BATCH))
  }

  return entry =>
    new Promise((resolve, reject) => {
      waiting.push({ entry, resolve, reject })
      if (waiting.length === 1) setImmediate(endTurn)
    })
}
