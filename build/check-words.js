import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

// node build/check-words.js [<file>…]: searches the files, or every text file in the project, for the phrases listed
// under "Phrases to avoid" in docs/glossary.md. Exits with 1 if it finds any.

const GLOSSARY = 'docs/glossary.md'
const HEADING = '## Phrases to avoid'
// Generated files, applied migrations (which never change), and this program and its test (which quote phrases).
const EXCLUDED = /^(LICENSE|package-lock\.json|db\/.*\/migrations\/|(test\/)?build\/check-words\.)/
// The gap between two words in a phrase: whitespace, or a line break followed by the prefix of a comment line.
const GAP = String.raw`(?:\s|\n\s*(?:\*|//|#|<!--)\s)+`
// Column names, which can't be changed without a migration.
const NAMES = [{ files: /^db\/\w+\/(keys|schema)\/|\/matrix\/rows\.ts$/, names: /'caller'|\bcaller, key_hash\b/g }]

const glossary = readFileSync(GLOSSARY, 'utf8')
const [, table = ''] = glossary.split(HEADING)
const rules = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)].slice(1).flatMap(([, phrases = '', instead]) =>
  phrases.split(', ').map(phrase => ({
    phrase,
    instead,
    pattern: new RegExp(String.raw`(?<![\w-])${phrase.replaceAll(' ', GAP)}(?![\w-])`, 'gi')
  }))
)
if (rules.length === 0) throw new Error(`${GLOSSARY} has no table below "${HEADING}".`)

/**
 * Returns the text to check in a file. Replaces ignored names with spaces, so that positions stay the same.
 *
 * @param {string} file
 */
const textOf = file => {
  if (file === GLOSSARY) return glossary.slice(0, glossary.indexOf(HEADING))
  return NAMES.filter(({ files }) => files.test(file)).reduce(
    (text, { names }) => text.replaceAll(names, name => ' '.repeat(name.length)),
    readFileSync(file, 'utf8')
  )
}

/** Returns the project's tracked files, except deleted ones whose deletion hasn't been committed yet. */
const trackedFiles = () => execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n').filter(existsSync)

const given = process.argv.slice(2)
const findings = (given.length > 0 ? given : trackedFiles())
  .filter(file => !EXCLUDED.test(file))
  .flatMap(file => {
    const text = textOf(file)
    return rules.flatMap(({ phrase, instead, pattern }) =>
      [...text.matchAll(pattern)].map(({ index }) => {
        const line = text.slice(0, index).split('\n').length
        return `${file}:${line}  "${phrase}": write ${instead}`
      })
    )
  })

for (const finding of findings) console.error(finding)
process.exitCode = findings.length === 0 ? 0 : 1
