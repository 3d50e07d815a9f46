import { test } from 'tap'
import { project } from './project.ts'

const GLOSSARY = `# Glossary

| term | meaning |
|---|---|
| node | A process. It stands for itself. |

## Phrases to avoid

| avoid | write instead |
|---|---|
| stands for, whoever | the plain verb |
| caller | requester |
`
const CHECK = 'node build/check-words.js'

test('a phrase to avoid is reported with its file, its line and its replacement', async t => {
  const { run, write } = project(t)
  write('docs/glossary.md', GLOSSARY)
  write('a.ts', '// Fine.\n// Whoever asks.\n')
  t.same(await run(`${CHECK} a.ts`), { code: 1, stdout: '', stderr: 'a.ts:2  "whoever": write the plain verb\n' })
})

test('a phrase is found across a line break in a comment, but not as part of a longer word', async t => {
  const { run, write } = project(t)
  write('docs/glossary.md', GLOSSARY)
  write('doc.ts', '/**\n * What it stands\n * for.\n */\n')
  write('line.ts', '  // What it stands\n  // for.\n')
  write('shell.sh', '# What it stands\n# for.\n')
  write('page.md', 'What it stands\nfor.\n')
  write('fine.ts', '// It stands forever. Both callers of callerOf and stands-for.\n')
  const { code, stderr } = await run(`${CHECK} doc.ts line.ts shell.sh page.md fine.ts`)
  t.equal(code, 1)
  t.same(
    stderr.trim().split('\n'),
    ['doc.ts:2', 'line.ts:1', 'shell.sh:1', 'page.md:1'].map(at => `${at}  "stands for": write the plain verb`)
  )
})

test('the table of phrases is ignored, but the rest of the glossary is checked', async t => {
  const { run, write } = project(t)
  write('docs/glossary.md', GLOSSARY)
  t.match(await run(`${CHECK} docs/glossary.md`), {
    code: 1,
    stderr: /^docs\/glossary\.md:5 {2}"stands for": write the plain verb\n$/
  })
  write('docs/glossary.md', GLOSSARY.replace('stands for itself', 'serves'))
  t.same(await run(`${CHECK} docs/glossary.md`), { code: 0, stdout: '', stderr: '' })
})

test('migrations are ignored, and so are column names, but only as names and only in db', async t => {
  const { run, write } = project(t)
  write('docs/glossary.md', GLOSSARY)
  const schema = "// The caller.\nrequester: text('caller')\n"
  write('db/sqlite/migrations/0001_keys.sql', '-- The caller.')
  write('db/sqlite/schema/keys.ts', schema)
  write('db/postgres/keys/rows.ts', 'select caller, key_hash from attempts')
  write('http/keys.ts', schema)
  const files = 'db/sqlite/migrations/0001_keys.sql db/sqlite/schema/keys.ts db/postgres/keys/rows.ts http/keys.ts'
  const { code, stderr } = await run(`${CHECK} ${files}`)
  t.equal(code, 1)
  t.same(
    stderr.trim().split('\n'),
    ['db/sqlite/schema/keys.ts:1', 'http/keys.ts:1', 'http/keys.ts:2'].map(at => `${at}  "caller": write requester`)
  )
})

test('a glossary without the table causes an error', async t => {
  const { run, write } = project(t)
  write('docs/glossary.md', '# Glossary\n')
  t.match(await run(`${CHECK} docs/glossary.md`), { code: 1, stderr: /has no table below "## Phrases to avoid"/ })
})
