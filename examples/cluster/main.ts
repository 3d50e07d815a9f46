import { DONE } from '../../cli/command.ts'
import { execute, reportFailure } from '../../cli/program.ts'
import { createRoot, define } from '../../cli/syntax.ts'
import { openTerminal } from '../../cli/terminal.ts'
import cluster from './cluster.ts'

// The program that npm run cluster runs. It isn't a command of trivial, because it requires development dependencies.

const NAME = 'cluster'

const { argv, env, stdout, stderr } = process
const io = {
  args: argv.slice(2),
  env,
  cwd: '.',
  // A getter, because accessing `process.stdin` opens it. This command doesn't read it.
  get stdin() {
    return process.stdin
  },
  stdout,
  stderr
}
const terminal = openTerminal(io, NAME)
const root = createRoot(io, terminal)
const node = root.command(NAME)
define(node, cluster)
let code = DONE
node.action(async () => {
  code = await execute(cluster, node, io, terminal)
})

try {
  await root.parseAsync([NAME, ...io.args], { from: 'user' })
  process.exitCode = code
} catch (error) {
  process.exitCode = reportFailure(error, node, terminal)
}
