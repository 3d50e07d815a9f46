import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { test } from 'tap'
import { Config } from '../../config/schema.ts'
import { required, root } from '../helper.ts'
import { anchorsOf, codeIn, pageOf, pages, rowsOf } from './markdown.ts'
import type { Page } from './markdown.ts'

const MAX_README_LINES = 150
const MAX_LINE_LENGTH = 120

/** Returns the targets of a page's links, except for links to other sites. */
const linksOf = ({ path, prose }: Page): { target: string; anchor: string }[] =>
  [...prose.join('\n').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter(link => !link.startsWith('https://'))
    .map(link => {
      const [file = '', anchor = ''] = link.split('#')
      return { target: file === '' ? path : normalize(join(dirname(path), file)).replaceAll('\\', '/'), anchor }
    })

test('every link on a page leads to an existing file and an existing heading', async t => {
  for (const page of pages) {
    for (const { target, anchor } of linksOf(page)) {
      t.ok(existsSync(join(root, target)), `${page.path} → ${target}`)
      if (anchor !== '') t.ok(anchorsOf(pageOf(target)).has(anchor), `${page.path} → ${target}#${anchor}`)
    }
  }
})

test('every page can be reached from the README', async t => {
  const reached = new Set(['README.md'])
  for (const path of reached) {
    for (const { target } of linksOf(pageOf(path))) if (target.endsWith('.md')) reached.add(target)
  }
  t.same([...reached].sort(), pages.map(({ path }) => path).sort())
})

test('the README is short', async t => {
  const lines = pageOf('README.md').text.trimEnd().split('\n').length
  t.ok(lines <= MAX_README_LINES, `${lines} lines`)
})

test('lines are short, except in tables, URLs and the changelog', async t => {
  for (const { path, text } of pages.filter(({ path }) => path !== 'CHANGELOG.md')) {
    const long = text
      .split('\n')
      .filter(line => line.length > MAX_LINE_LENGTH && !line.startsWith('|') && !line.includes('](https://'))
    t.same(long, [], path)
  }
})

test('every variable is in the documentation and in .env.example, with its default value', async t => {
  const example = parseEnv(readFileSync(join(root, '.env.example'), 'utf8'))
  const documented = new Map(
    rowsOf(pageOf('docs/configuration.md'))
      .filter(([name = '']) => /^`[A-Z_]+`$/.test(name))
      .map(([name = '', value = '']) => [name.replaceAll('`', ''), value.replaceAll('`', '')])
  )
  const variables = Object.entries(Config.properties).map(([name, variable]): [string, string] => {
    const none = 'entries' in variable ? variable.entries.none : ''
    return [name, 'default' in variable ? String(variable.default === '' ? none : (variable.default ?? '')) : '']
  })
  t.same([...documented.keys()].sort(), variables.map(([name]) => name).sort())
  t.same(Object.keys(example).sort(), variables.map(([name]) => name).sort())
  for (const [name, value] of variables) {
    t.equal(example[name], value, `${name} in .env.example`)
    if (value !== '') t.equal(documented.get(name), value, name)
    else t.match(documented.get(name), /^(empty|none, required)$/, name)
  }
})

test('the glossary is in alphabetical order, and defines each term only once', async t => {
  const glossary = pageOf('docs/glossary.md')
  const end = glossary.prose.indexOf('## Phrases to avoid')
  t.ok(end > 0, 'the table of phrases has its own heading')
  const terms = rowsOf({ ...glossary, prose: glossary.prose.slice(0, end) }).map(([term = '']) =>
    term.replaceAll('`', '').toLowerCase()
  )
  t.ok(terms.length > 0)
  t.same(terms, [...new Set(terms)].sort())
})

const scripts = required(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts?: Record<string, string> }).scripts,
  'the scripts of package.json'
)

/** A command in a page's prose, and the options that the page mentions for it. */
interface Mention {
  readonly where: string
  readonly script: string
  readonly options: readonly string[]
}

const OPTION = /(?<![\w-])--[a-z][a-z-]*/g
const COMMAND = /^npm run (?:--silent )?([\w:]+)(?: -- (.*))?/

const mentionIn = (code: string, where: string): Mention[] => {
  const [, script, rest = ''] = COMMAND.exec(code) ?? []
  return script === undefined ? [] : [{ where, script, options: rest.match(OPTION) ?? [] }]
}

/** Returns the commands in a page's prose and tables. Options in a row belong to the commands in the same row. */
const mentionsIn = (page: Page): Mention[] => [
  ...page.prose.flatMap(line => codeIn(line).flatMap(code => mentionIn(code, page.path))),
  ...rowsOf(page).flatMap(([command = '', ...cells]) =>
    codeIn(command)
      .flatMap(code => mentionIn(code, page.path))
      .map(mention => ({
        ...mention,
        options: codeIn(cells.join(' '))
          .filter(code => code.startsWith('--'))
          .flatMap(code => code.match(OPTION) ?? [])
      }))
  )
]

const runs = promisify(execFile)

// tap uses NODE_OPTIONS to add its loaders to each Node.js process that is started.
const helpOf = async (program: string): Promise<string> =>
  (await runs('sh', ['-c', `unset NODE_OPTIONS; ${program} --help`], { cwd: root })).stdout

test('every npm script that a page mentions exists, and accepts the options on that page', async t => {
  const mentions = pages.flatMap(mentionsIn)
  const helps = new Map<string, string>()
  for (const { where, script, options } of mentions) {
    const program = scripts[script]
    t.ok(program, `${where}: npm run ${script}`)
    if (program?.includes('cli/trivial.js') !== true || options.length === 0) continue
    if (!helps.has(script)) helps.set(script, await helpOf(program))
    for (const option of options) {
      t.match(helps.get(script), new RegExp(`${option}(?![\\w-])`), `${where}: npm run ${script} -- ${option}`)
    }
  }
  t.ok(helps.size > 3, 'some pages mention options of commands')
})
