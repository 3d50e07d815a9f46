import type { App } from '../../../domain/apps/app.ts'
import type { WriteApp } from '../../../http/representations/apps.ts'

/** The form of a list: a JSON array, or one app a line (NDJSON). */
export type ListForm = 'array' | 'lines'

interface Marks {
  start: string
  between: string
  end: string
}

const marks: Record<ListForm, Marks> = {
  array: { start: '[', between: ',', end: ']' },
  lines: { start: '', between: '\n', end: '\n' }
}

/**
 * Writes a list as text, a chunk a batch. The end is in the last chunk, so that a list of one batch is one chunk; a
 * chunk may be empty, which lets a consumer that has gone stop a long search.
 */
export async function* writeList(
  form: ListForm,
  batches: AsyncIterable<App[]>,
  write: WriteApp
): AsyncGenerator<string, void> {
  const { start, between, end } = marks[form]
  let held = start
  let begun = false
  let first = true
  for await (const batch of batches) {
    if (begun) {
      yield held
      held = ''
    }
    begun = true
    for (const app of batch) {
      held += first ? write(app) : between + write(app)
      first = false
    }
  }
  yield first && form === 'lines' ? '' : held + end
}
