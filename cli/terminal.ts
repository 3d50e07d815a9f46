import { Console } from 'node:console'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { environment } from '../config/read.ts'
import type { Environment } from '../config/read.ts'
import { CommandError } from './failures.ts'
import { table } from './table.ts'

const MAX_INPUT = 65_536

// To the beginning of the line, and erase what is there.
const CLEAR_LINE = '\r\u001b[K'

/** All that a command has to do with the world around it: given by a process, or by a test. */
export interface Io {
  args: readonly string[]
  env: Environment
  /** The folder that holds `.env`. */
  cwd: string
  stdin: Readable
  stdout: Writable
  stderr: Writable & { isTTY?: boolean }
}

/** How a command reads and prints. */
export interface Terminal {
  cwd: string
  /** The variables of `.env` under those of the environment, which win. Throws a ConfigError. */
  environment: () => Environment
  /** All of standard input. Throws a CommandError where there is too much of it. */
  readInput: () => Promise<string>
  print: (text: string) => void
  printJson: (value: unknown) => void
  /** Prints rows in columns; the first row is the heading. */
  printTable: (rows: readonly (readonly string[])[]) => void
  /** Prints on standard error: a text as it is, an error with its stack. */
  warn: (message: unknown) => void
  /** Shows how far a long task is where standard error is a terminal: one line, which the next output replaces. */
  progress: (text: string) => void
}

export const openTerminal = ({ env, cwd, stdin, stdout, stderr }: Io): Terminal => {
  // A Console, unlike a stream, does not throw where the reader has gone, as `head` does.
  const console = new Console({ stdout, stderr })
  let shown = false
  const clear = (): void => {
    if (shown) stderr.write(CLEAR_LINE)
    shown = false
  }
  const print = (text: string): void => {
    clear()
    console.log(text)
  }
  return {
    cwd,
    environment: () => environment(join(cwd, '.env'), env),
    readInput: async () => await readAll(stdin),
    print,
    printJson: value => {
      print(JSON.stringify(value, null, 2))
    },
    printTable: rows => {
      print(table(rows))
    },
    warn: message => {
      clear()
      console.error(message)
    },
    progress: text => {
      if (stderr.isTTY !== true) return
      shown = true
      stderr.write(`${CLEAR_LINE}${text}`)
    }
  }
}

const readAll = async (stream: Readable): Promise<string> => {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > MAX_INPUT) throw new CommandError('There is too much on standard input.')
  }
  return text
}
