import { execFile } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { root, temporaryFolder } from '../helper.ts'

/** The commit of the previous release, whose nodes run together with nodes of this version during an update. */
const PREVIOUS = '32a50004239fe2a44e4505be30398a58a29f32e1'

const exec = promisify(execFile)

/** Returns git's output, or null if git fails or isn't installed. */
const git = async (...args: readonly string[]): Promise<string | null> =>
  await exec('git', ['-C', root, ...args]).then(
    ({ stdout }) => stdout.trim(),
    () => null
  )

/** Returns the reason why the commit can't be used, or null if it can be. */
const findIssue = async (): Promise<string | null> => {
  if ((await git('cat-file', '-e', `${PREVIOUS}^{commit}`)) !== null) return null
  const isRepository = (await git('rev-parse', '--git-dir')) !== null
  if (!isRepository) return 'git is not installed, or this is not a git repository'
  return `the commit of the previous release, ${PREVIOUS}, is not in the repository`
}

/**
 * Builds the previous release's server with the packages of this version, in a folder that is deleted when the test
 * ends. Returns its path. If it isn't available, reports the reason and returns null.
 */
export const previousServer = async (t: Test): Promise<string | null> => {
  const issue = await findIssue()
  if (issue !== null) {
    t.pass('skipped', { skip: issue })
    return null
  }
  const folder = temporaryFolder(t)
  const archive = join(folder, 'archive.tar')
  await exec('git', ['-C', root, 'archive', '--format=tar', `--output=${archive}`, PREVIOUS])
  await exec('tar', ['-xf', archive, '-C', folder])
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  await exec(process.execPath, ['build/build.js'], { cwd: folder })
  return join(folder, 'dist/server.js')
}
