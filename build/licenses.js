import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The licenses of the packages that files belong to, as a text that goes along with a bundle of them.
 *
 * @param {string} root
 * @param {string[]} files paths relative to the root
 */
export const licensesOf = (root, files) =>
  [...new Set(files.flatMap(path => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []))]
    .sort()
    .map(folder => licenseOf(join(root, folder)))
    .join(`\n${'-'.repeat(80)}\n`)

/** @param {string} folder */
const licenseOf = folder => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const texts = readdirSync(folder)
    .filter(file => /^(licen[cs]e|notice)/i.test(file))
    .map(file => readFileSync(join(folder, file), 'utf8'))
  return [`${name} ${version} (${license})`, ...texts].join('\n\n')
}
