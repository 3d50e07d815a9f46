/** An option of a command. */
export interface OptionSpec {
  /** What stands for its value in the help, such as `<name>`; an option without it takes no value. */
  readonly value?: string
  /** Whether it may be given several times. */
  readonly multiple?: true
  /** The values that the completion proposes. */
  readonly choices?: readonly string[]
  /** The heading above it in the help. */
  readonly group?: string
  readonly help: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** What an option is read as. */
type ValueOf<O extends OptionSpec> = O extends { value: string }
  ? O extends { multiple: true }
    ? string[]
    : string
  : true

export type Values<O extends OptionSpecs> = { [Name in keyof O]?: ValueOf<O[Name]> | undefined }

/** The one argument of a command that is not an option. */
export interface ArgumentSpec {
  readonly name: string
  readonly help: string
  /** Whether it may be left out; it is empty then. */
  readonly optional?: true
  /** The values that the completion proposes. */
  readonly choices?: readonly string[]
}
