import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'

/**
 * Imports every test file in a folder, so that all tests run one after another in a single process. Starting a process
 * and loading the service takes longer than most tests. Each file can also be run separately.
 */
export const importTests = async (folder: string): Promise<void> => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path => /\.test\.[jt]s$/.test(path))
  const load = async (): Promise<void> => {
    for (const file of files.sort()) await import(pathToFileURL(join(folder, file)).href)
  }
  const loaded = load()
  // Tests begin to run as soon as one is defined. This test waits until all files are loaded, because loading blocks
  // the event loop.
  void test('every file in the folder loads', async () => {
    await loaded
  })
  await loaded
}
