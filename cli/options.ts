/** An option of a command. */
export interface OptionSpec {
  /** The placeholder for the value in the help, such as `<name>`. An option without a placeholder takes no value. */
  readonly value?: string
  /** Whether the option may be repeated. */
  readonly multiple?: true
  /** The accepted values, which completions propose. If omitted, any value is accepted. */
  readonly choices?: readonly string[]
  /** Other accepted values, which completions don't propose. */
  readonly accepts?: readonly string[]
  /** Returns whether a value is accepted that is not among these lists. */
  readonly acceptsOther?: (value: string) => boolean
  /** The heading above the option in the help. */
  readonly group?: string
  readonly help: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** The type of a list's elements, or `Else` if `List` isn't a list. */
type OneOf<List, Else> = List extends readonly (infer Value)[] ? Value : Else
type TextOf<O extends OptionSpec> = O extends { acceptsOther: unknown }
  ? string
  : O extends { choices: infer Choices }
    ? OneOf<Choices, string> | (O extends { accepts: infer More } ? OneOf<More, never> : never)
    : string

/** The type of an option's parsed value. */
type ValueOf<O extends OptionSpec> = O extends { value: string }
  ? O extends { multiple: true }
    ? TextOf<O>[]
    : TextOf<O>
  : true

export type Values<O extends OptionSpecs> = { [Name in keyof O]?: ValueOf<O[Name]> | undefined }

/** A command's positional argument. A command has at most one. */
export interface ArgumentSpec {
  readonly name: string
  readonly help: string
  /** Whether the argument may be omitted, in which case the command receives an empty string. */
  readonly optional?: true
  /** The values that completions propose. */
  readonly choices?: readonly string[]
}
