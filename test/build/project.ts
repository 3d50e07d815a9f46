import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { collect, root, spawnProgram, temporaryFolder } from '../helper.ts'

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** A small project that is built and run with this project's scripts. */
export interface Project {
  folder: string
  write: (path: string, content: string) => void
  read: (path: string) => string
  /** Runs a program in the project's folder, or in another folder. */
  run: (command: string, cwd?: string) => Promise<Ended>
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }

const FILES: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ type: 'module', scripts }),
  'tsconfig.json': '{}',
  'server.ts': "import { pathOf } from './paths.ts'\nconsole.log('serves', pathOf('routes'))",
  'cli/trivial.ts': `#!/usr/bin/env node
import greeting from 'greeting'
import { name } from '../names/name.ts'
console.log(greeting, name satisfies string, JSON.stringify(process.argv.slice(2)), process.cwd())`,
  'names/name.ts': "export const name: string = 'Ada'",
  'routes/public/first.ts': "import { name } from './names.ts'\nexport default (): string => name",
  'routes/public/names.ts': "export const name: string = 'first'",
  'exports/plugin.ts': "import greeting from 'greeting'\nexport default (): string => greeting",
  'db/sqlite/migrations/0000_init.sql': 'select 1;',
  'db/postgres/migrations/0000_init.sql': 'select 2;',
  'node_modules/greeting/package.json': '{"name":"greeting","version":"1.0.0","license":"MIT","main":"index.js"}',
  'node_modules/greeting/index.js': "module.exports = 'Hello'",
  'node_modules/greeting/LICENSE': 'Do with it as you please.'
}

export const project = (t: Test): Project => {
  const folder = join(temporaryFolder(t), 'project')
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  for (const [path, content] of Object.entries(FILES)) write(path, content)
  cpSync(join(root, 'build'), join(folder, 'build'), { recursive: true })
  cpSync(join(root, 'paths.ts'), join(folder, 'paths.ts'))
  symlinkSync(join(root, 'node_modules/esbuild'), join(folder, 'node_modules/esbuild'))

  return {
    folder,
    write,
    read: path => readFileSync(join(folder, path), 'utf8'),
    run: async (command, cwd = folder) => {
      return await collect(spawnProgram(command.split(' '), cwd, {})).ended
    }
  }
}
