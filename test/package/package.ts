import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { root, spawnNode, temporaryFolder } from '../helper.ts'

const EXAMPLES = join(root, 'examples/fastify-service')

/** Packs the project with npm, as it was built and without network access. */
export const pack = (t: Test): { tarball: string; files: string[] } => {
  const folder = temporaryFolder(t)
  const args = ['pack', '--ignore-scripts', '--offline', '--json', '--pack-destination', folder]
  const [packed] = JSON.parse(
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  )
  return {
    tarball: join(folder, packed.filename),
    files: packed.files.map(({ path }: { path: string }) => path)
  }
}

/** Creates a project that uses the package, with the package's dependencies and the example. */
export const consumerProject = (t: Test): string => {
  const folder = join(temporaryFolder(t), 'consumer')
  const modules = join(folder, 'node_modules')
  mkdirSync(modules, { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  execFileSync('tar', ['-xzf', pack(t).tarball, '-C', modules])
  // tar unpacks to a folder named package.
  cpSync(join(modules, 'package'), join(modules, 'trivial-api'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  cpSync(EXAMPLES, folder, { recursive: true })
  return folder
}

/** Runs Node.js in a folder, and resolves when it ends. */
export const node = async (cwd: string, args: string[], env: Record<string, string> = {}) => {
  const child = spawnNode(args, cwd, env)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}
