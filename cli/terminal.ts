import { Console } from 'node:console'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { ConfigError, environment } from '../config/read.ts'
import type { Environment } from '../config/read.ts'
import { withSources } from '../config/sources.ts'
import { textOf } from '../config/user-error.ts'
import { utf8Text } from '../net/utf8.ts'
import { red, showsColour } from './colour.ts'
import { asUserError, CommandError } from './failures.ts'
import { invocation, isScript } from './npm.ts'
import { table } from './table.ts'

const MAX_INPUT_BYTES = 65_536

// To the beginning of the line, and erase what is there.
const CLEAR_LINE = '\r\u001b[K'

/** All that a command has to do with the world around it: given by a process, or by a test. */
export interface Io {
  /** The command and its arguments. */
  args: readonly string[]
  env: Environment
  /** The folder that holds `.env`. */
  cwd: string
  stdin: Readable
  stdout: Output
  stderr: Output
}

/** A stream that may be a terminal, which has a width. */
export type Output = Writable & { isTTY?: boolean; columns?: number }

/** How a command reads and prints. */
export interface Terminal {
  cwd: string
  /** The variables of `.env` under those of the environment, which win. Throws a ConfigError. */
  environment: () => Environment
  /** All of standard input. Throws a CommandError if it is too much, or not UTF-8. */
  readInput: () => Promise<string>
  print: (text: string) => void
  printJson: (value: unknown) => void
  /** Prints rows in columns; the first row is the heading. */
  printTable: (rows: readonly (readonly string[])[]) => void
  /** Prints on standard error: a text as it is, an error with its stack. */
  warn: (message: unknown) => void
  /** Tells of a failure on standard error: in words where it was foreseen, or else with its stack. */
  fail: (failure: unknown) => void
  /**
   * Waits until all that was printed is written. Throws a CommandError if it could not be written, once. With a hint,
   * what was printed is nowhere else, such as a new token: a reader that has gone is a failure, too.
   */
  flush: (hint?: string) => Promise<void>
  /** What to type to run a command, in the way this one was run: through npm, or as `trivial`. */
  invocation: (command: string, args?: string) => string
  /** Shows how far a long task is where standard error is a terminal: one line, which the next output replaces. */
  progress: (text: string) => void
}

/** The terminal of a command, such as `key issue`. */
export const openTerminal = (io: Io, command: string): Terminal => {
  const { env, cwd, stdin, stderr } = io
  const output = openOutput(io)
  const variables = (): Environment => environment(join(cwd, '.env'), env)
  return {
    cwd,
    ...output,
    environment: variables,
    readInput: async () => await readAll(stdin),
    printJson: value => {
      output.print(JSON.stringify(value, null, 2))
    },
    printTable: rows => {
      output.print(table(rows))
    },
    fail: failure => {
      const error = asUserError(failure)
      if (error === null) {
        output.warn(failure)
        return
      }
      const told = error instanceof ConfigError ? sourced(error.message, variables, env) : error.message
      const message = showsColour(stderr, env) ? red(told) : told
      output.warn(textOf({ message, hint: error.hint }))
    },
    invocation: (name, args) => invocation(isScript(command, env), name, args)
  }
}

// The message may be about .env itself, which can't be read then.
const sourced = (message: string, variables: () => Environment, env: Environment): string => {
  try {
    return withSources(message, variables(), env)
  } catch {
    return message
  }
}

const openOutput = ({ stdout, stderr }: Io): Pick<Terminal, 'print' | 'warn' | 'progress' | 'flush'> => {
  const { write, flush } = openWriter(stdout)
  // A Console, unlike a stream, does not throw if the reader has gone.
  const console = new Console({ stdout: stderr })
  let shown = false
  const clear = (): void => {
    if (shown) stderr.write(CLEAR_LINE)
    shown = false
  }
  return {
    print: text => {
      clear()
      write(`${text}\n`)
    },
    warn: message => {
      clear()
      console.log(message)
    },
    flush,
    progress: text => {
      if (stderr.isTTY !== true) return
      shown = true
      stderr.write(`${CLEAR_LINE}${text}`)
    }
  }
}

interface Writer {
  write: (text: string) => void
  flush: Terminal['flush']
}

const openWriter = (stdout: Output): Writer => {
  let failure: NodeJS.ErrnoException | undefined
  const note = (error: NodeJS.ErrnoException | null | undefined): void => {
    failure ??= error ?? undefined
  }
  // The callback of each write gets the failure. Without a listener the process would end.
  stdout.on('error', () => {})
  return {
    write: text => {
      stdout.write(text, note)
    },
    flush: async hint => {
      await new Promise<void>(resolve => {
        stdout.write('', () => {
          resolve()
        })
      })
      const lost = failure
      failure = undefined
      // As `head` does, a reader may go when it has read enough.
      if (lost === undefined || (hint === undefined && lost.code === 'EPIPE')) return
      throw new CommandError(
        `The output could not be written${hint === undefined ? '' : ', and what it held is lost'}: ${lost.message}.`,
        hint ?? 'Make room, or write it elsewhere.'
      )
    }
  }
}

const readAll = async (stream: Readable): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_INPUT_BYTES) throw new CommandError('There is too much on standard input.')
  }
  const text = utf8Text(Buffer.concat(chunks))
  if (text === null) throw new CommandError('Standard input holds bytes that are not UTF-8.', 'Put UTF-8 text there.')
  return text
}
