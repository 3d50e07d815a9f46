import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { test } from 'tap'
import { Config } from '../../config/schema.ts'
import { need, root } from '../helper.ts'
import { anchorsOf, codeIn, pageOf, pages, rowsOf } from './markdown.ts'
import type { Page } from './markdown.ts'

const MAX_README_LINES = 150
const MAX_LINE_LENGTH = 120

/** Where the links of a page lead, without those of other sites. */
const linksOf = ({ path, prose }: Page): { target: string; anchor: string }[] =>
  [...prose.join('\n').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter(link => !link.startsWith('https://'))
    .map(link => {
      const [file = '', anchor = ''] = link.split('#')
      return { target: file === '' ? path : normalize(join(dirname(path), file)).replaceAll('\\', '/'), anchor }
    })

test('every link of a page leads to a file that is there, and to a heading in it', async t => {
  for (const page of pages) {
    for (const { target, anchor } of linksOf(page)) {
      t.ok(existsSync(join(root, target)), `${page.path} → ${target}`)
      if (anchor !== '') t.ok(anchorsOf(pageOf(target)).has(anchor), `${page.path} → ${target}#${anchor}`)
    }
  }
})

test('every page is reached from the README', async t => {
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

test('lines are short, but for tables, addresses and what a changelog says of the past', async t => {
  for (const { path, text } of pages.filter(({ path }) => path !== 'CHANGELOG.md')) {
    const long = text
      .split('\n')
      .filter(line => line.length > MAX_LINE_LENGTH && !line.startsWith('|') && !line.includes('](https://'))
    t.same(long, [], path)
  }
})

test('every variable stands in the documentation and in .env.example, with its default', async t => {
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

test('the glossary is in alphabetical order, and tells each term once', async t => {
  const terms = rowsOf(pageOf('docs/glossary.md')).map(([term = '']) => term.replaceAll('`', '').toLowerCase())
  t.ok(terms.length > 0)
  t.same(terms, [...new Set(terms)].sort())
})

const scripts = need(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts?: Record<string, string> }).scripts,
  'the scripts of package.json'
)

/** A command in the text of a page, and the options that the page names for it. */
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

/** What the prose and the tables of a page say of commands: the options in a row are those of its commands. */
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

// tap has every Node that is spawned load its own loaders, by NODE_OPTIONS.
const helpOf = async (program: string): Promise<string> =>
  (await runs('sh', ['-c', `unset NODE_OPTIONS; ${program} --help`], { cwd: root })).stdout

test('every npm run that a page tells of is there, and takes the options that are told', async t => {
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
  t.ok(helps.size > 3, 'commands with options are told of')
})
