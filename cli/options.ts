/** An option of a command. */
export interface OptionSpec {
  /** What stands for its value in the help, such as `<name>`; an option without it takes no value. */
  readonly value?: string
  /** Whether it may be given several times. */
  readonly multiple?: true
  /** The values that it takes, which the completion proposes; without them it takes any text. */
  readonly choices?: readonly string[]
  /** Further values that it takes. */
  readonly accepts?: readonly string[]
  /** The heading above it in the help. */
  readonly group?: string
  readonly help: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** One of the values of a list; any text if there is no list. */
type OneOf<List, Else> = List extends readonly (infer Value)[] ? Value : Else
type TextOf<O extends OptionSpec> = O extends { choices: infer Choices }
  ? OneOf<Choices, string> | (O extends { accepts: infer More } ? OneOf<More, never> : never)
  : string

/** What an option is read as. */
type ValueOf<O extends OptionSpec> = O extends { value: string }
  ? O extends { multiple: true }
    ? TextOf<O>[]
    : TextOf<O>
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
