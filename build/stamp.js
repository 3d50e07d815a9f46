import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What a build was made from and what it made, as paths relative to the project, and a hash of all that went in.
 *
 * @typedef {{ entries: string[], inputs: string[], hash: string, outputs: string[] }} Stamp
 */

const STAMP = 'build.json'

/** What else decides what a build makes. */
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json', 'build/build.js', 'build/package.js']

/** What other services import. */
export const EXPORTS = 'exports'

/**
 * The files that a build begins with: the programs, the plugins and routes that `@fastify/autoload` finds by folder,
 * and what other services import.
 *
 * @param {string} root
 */
export const entriesOf = root => ({
  programs: ['server.ts', 'cli/trivial.ts'],
  autoloaded: [...sourcesIn(root, 'plugins'), ...sourcesIn(root, 'routes')],
  exported: sourcesIn(root, EXPORTS)
})

/**
 * @param {string} root
 * @param {string} folder
 */
export const sourcesIn = (root, folder) =>
  existsSync(join(root, folder)) ? filesIn(root, folder).filter(path => path.endsWith('.ts')) : []

/**
 * Every file in a folder, as a path relative to the root.
 *
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
export const filesIn = (root, folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap(entry => {
      const path = `${folder}/${entry.name}`
      return entry.isDirectory() ? filesIn(root, path) : [path]
    })
    .sort()

/**
 * Whether `dist/` was made from the sources and packages that are here now. Their contents are compared, since their
 * times tell little: a checkout, an archive or a wrong clock makes a file that changed look old.
 *
 * @param {string} root
 */
export const isFresh = root => {
  const stamp = readStamp(join(root, 'dist'))
  if (stamp === null || stamp.hash !== hashOf(root, stamp.inputs)) return false
  return stamp.entries.join() === Object.values(entriesOf(root)).flat().join()
}

/**
 * The hash of the settings and of the files that go in; null where one is not there.
 *
 * @param {string} root
 * @param {string[]} inputs
 * @param {Map<string, Buffer>} [read] what is known of their contents
 */
export const hashOf = (root, inputs, read) => {
  const hash = createHash('sha256')
  try {
    for (const path of [...SETTINGS, ...inputs]) {
      const content = read?.get(path) ?? readFileSync(join(root, path))
      hash.update(`${path}\0${content.length}\0`).update(content)
    }
  } catch {
    return null
  }
  return hash.digest('hex')
}

/**
 * The stamp of the last build in a folder; null where none was completed.
 *
 * @param {string} folder
 * @returns {Stamp | null}
 */
export const readStamp = folder => {
  try {
    return JSON.parse(readFileSync(join(folder, STAMP), 'utf8'))
  } catch {
    return null
  }
}

/**
 * Written in one step, so that no reader finds a half of it.
 *
 * @param {string} folder
 * @param {Stamp} stamp
 */
export const writeStamp = (folder, stamp) => {
  const temporary = join(folder, `${STAMP}.${process.pid}`)
  writeFileSync(temporary, JSON.stringify(stamp))
  renameSync(temporary, join(folder, STAMP))
}

/** @param {string} folder */
export const removeStamp = folder => {
  rmSync(join(folder, STAMP), { force: true })
}
