import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../helper.ts'

/** A fenced code block on a page. */
export interface Block {
  readonly language: string
  /** The line number of its opening fence, starting at 1. */
  readonly line: number
  readonly text: string
  /** The instruction for the test, from the comment before the block, or null if there is none. */
  readonly before: string | null
}

export interface Page {
  /** The path relative to the project's root. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** The lines outside of code blocks. */
  readonly prose: readonly string[]
}

const FENCE = /^```(\S*)$/
const COMMENT = /^<!-- test: (.+) -->$/

const parse = (text: string): Pick<Page, 'blocks' | 'prose'> => {
  const blocks: Block[] = []
  const prose: string[] = []
  let open: { language: string; line: number; lines: string[] } | null = null
  for (const [index, line] of text.split('\n').entries()) {
    const fence = FENCE.exec(line)
    if (open !== null && fence === null) {
      open.lines.push(line)
    } else if (open !== null) {
      const before = prose.findLast(line => line !== '') ?? ''
      const { language, line: first, lines } = open
      blocks.push({ language, line: first, text: lines.join('\n'), before: COMMENT.exec(before)?.[1] ?? null })
      open = null
    } else if (fence !== null) {
      open = { language: fence[1] ?? '', line: index + 1, lines: [] }
    } else {
      prose.push(line)
    }
  }
  if (open !== null) throw new Error(`the block that begins in line ${open.line} has no end`)
  return { blocks, prose }
}

const pageAt = (path: string): Page => {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, ...parse(text) }
}

const pagesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.md') && !path.includes('node_modules'))
    .map(path => `${folder}/${path.replaceAll('\\', '/')}`)
    .sort()

/** All pages of the documentation. */
export const pages: readonly Page[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...pagesIn('docs'),
  ...pagesIn('examples')
].map(pageAt)

/** Returns the page at a path. Throws if it doesn't exist. */
export const pageOf = (path: string): Page => {
  const page = pages.find(page => page.path === path)
  if (page === undefined) throw new Error(`there is no page ${path}`)
  return page
}

/** Returns the cells of each row of all tables on a page, without the header rows. */
export const rowsOf = ({ prose }: Page): string[][] =>
  prose
    .filter((line, index) => line.startsWith('| ') && !/^\|[-|]+$/.test(prose[index + 1] ?? ''))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim())
    )

/** Returns the strings between single backticks. */
export const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** Returns the anchors that GitHub generates for a page's headings. */
export const anchorsOf = ({ prose }: Page): Set<string> => {
  const anchors = new Set<string>()
  for (const heading of prose.filter(line => /^#+ /.test(line))) {
    const text = heading.replace(/^#+ /, '').toLowerCase()
    const anchor = text.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
    let unique = anchor
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`
    anchors.add(unique)
  }
  return anchors
}
