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

// Moves the cursor to the beginning of the line and erases the line.
const CLEAR_LINE = '\r\u001b[K'

/** The inputs and outputs of a command, provided by the process or by a test. */
export interface Io {
  /** The command and its arguments. */
  args: readonly string[]
  env: Environment
  /** The folder that contains `.env`. */
  cwd: string
  stdin: Readable
  stdout: Output
  stderr: Output
}

/** An output stream. If it's a terminal, `columns` is its width. */
export type Output = Writable & { isTTY?: boolean; columns?: number }

/** The functions that a command uses to read input and print output. */
export interface Terminal {
  cwd: string
  /**
   * Returns the variables in `.env` and in the environment, which takes precedence. Throws a ConfigError if a value
   * can't be read.
   */
  environment: () => Environment
  /** Reads standard input to its end. Throws a CommandError if it's too long or not UTF-8. */
  readInput: () => Promise<string>
  print: (text: string) => void
  printJson: (value: unknown) => void
  /** Prints rows as a table. The first row is the heading. */
  printTable: (rows: readonly (readonly string[])[]) => void
  /** Prints a string, or an error with its stack, to standard error. */
  warn: (message: unknown) => void
  /** Prints a failure to standard error: its message if the failure was expected, or else its stack. */
  fail: (failure: unknown) => void
  /**
   * Waits until all output has been written. Throws a CommandError if writing has failed since the last call. Commands
   * pass a hint if the output isn't stored anywhere else, such as a new token. With a hint, this also throws if the
   * reader has closed the pipe.
   */
  flush: (hint?: string) => Promise<void>
  /** Returns the command line that runs a command the same way as this one: through npm, or as `trivial`. */
  invocation: (command: string, args?: string) => string
  /** If standard error is a terminal, shows the progress of a long task on a line that the next output replaces. */
  progress: (text: string) => void
}

/** Creates the terminal for a command, such as `key issue`. */
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
      const text = error instanceof ConfigError ? sourced(error.message, variables, env) : error.message
      const message = showsColour(stderr, env) ? red(text) : text
      output.warn(textOf({ message, hint: error.hint }))
    },
    invocation: (name, args) => invocation(isScript(command, env), name, args)
  }
}

// If .env can't be read, its variables are unknown, and the message is about .env itself.
const sourced = (message: string, variables: () => Environment, env: Environment): string => {
  try {
    return withSources(message, variables(), env)
  } catch {
    return message
  }
}

const openOutput = ({ stdout, stderr }: Io): Pick<Terminal, 'print' | 'warn' | 'progress' | 'flush'> => {
  const { write, flush } = openWriter(stdout)
  // Unlike a stream, a Console ignores write errors, such as a pipe closed by the reader.
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
  // The callback of each write receives its error. Without this listener, the error event would terminate the process.
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
      // A reader such as `head` closes the pipe after it has read enough.
      if (lost === undefined || (hint === undefined && lost.code === 'EPIPE')) return
      throw new CommandError(
        `The output could not be written${hint === undefined ? '' : ' and is lost'}: ${lost.message}.`,
        hint ?? 'Free space on the disk, or write to another file.'
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
    if (size > MAX_INPUT_BYTES) {
      throw new CommandError(`Standard input is too long: the maximum is ${MAX_INPUT_BYTES} bytes.`)
    }
  }
  const text = utf8Text(Buffer.concat(chunks))
  if (text === null) {
    throw new CommandError('Standard input contains bytes that are not UTF-8.', 'Send UTF-8 text.')
  }
  return text
}
