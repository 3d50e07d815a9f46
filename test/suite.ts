import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'

/**
 * Imports every test of a folder, so that they run in one process, one after another: to start a process and to load
 * the service takes longer than most tests. Each file also runs by itself.
 */
export const importTests = async (folder: string): Promise<void> => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path => /\.test\.[jt]s$/.test(path))
  const load = async (): Promise<void> => {
    for (const file of files.sort()) await import(pathToFileURL(join(folder, file)).href)
  }
  const loaded = load()
  // Tests begin as soon as there is one, and to load a file blocks the event loop.
  void test('every file of the folder loads', async () => {
    await loaded
  })
  await loaded
}
