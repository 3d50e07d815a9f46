// Reports the phrases of docs/glossary.md, "Phrases to avoid", in every text file of the project.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const GLOSSARY = 'docs/glossary.md'
const HEADING = '## Phrases to avoid'
// What is generated, and migrations, whose text never changes once they were applied.
const EXCLUDED = /^(LICENSE|package-lock\.json|db\/.*\/migrations\/)/
// Between two words of a phrase: blanks, or a line break and what begins a line of a comment.
const GAP = String.raw`(?:\s|\n\s*(?:\*|//|#|<!--)\s)+`

const [, table = ''] = readFileSync(GLOSSARY, 'utf8').split(HEADING)
const rules = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)].slice(1).flatMap(([, phrases = '', instead]) =>
  phrases.split(', ').map(phrase => ({
    phrase,
    instead,
    pattern: new RegExp(String.raw`(?<![\w-])${phrase.replaceAll(' ', GAP)}(?![\w-])`, 'gi')
  }))
)

/** @param {string} file */
const textOf = file => {
  const text = readFileSync(file, 'utf8')
  return file === GLOSSARY ? text.slice(0, text.indexOf(HEADING)) : text
}

const files = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n')
const findings = files
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
if (rules.length === 0) throw new Error(`${GLOSSARY} has no table below "${HEADING}".`)
process.exitCode = findings.length === 0 ? 0 : 1
