import { randomBytes } from 'node:crypto'

/** Who owns an app. Both kinds are numbered from 1, each in its own table. */
export interface Owner {
  readonly type: 'User' | 'Organization'
  readonly id: number
}

/** JSON text. The service carries panels and schedules as they came, without looking inside them. */
export type Json = string

export interface Tag {
  readonly id: number
  readonly context: string
  readonly name: string
}

/** What tells one tag of an app from another. */
export type TagKey = Omit<Tag, 'id'>

export interface App {
  readonly id: number
  /** The app's address: 14 lowercase hexadecimal digits, unique. */
  readonly name: string
  readonly descriptiveName: string
  readonly port: number
  readonly panels: Json | null
  readonly readableBy: string | null
  readonly schedule: Json | null
  readonly owner: Owner
  /** A JSON array of the app's tags, `[{"id", "context", "name"}]`, in the order in which they were added. */
  readonly tags: Json
  readonly createdAt: Date
  readonly updatedAt: Date
  /** When the app was deleted; null: it was not. */
  readonly discardedAt: Date | null
}

/** An app to be stored; the store gives it its `id` and its `port`. */
export type NewApp = Pick<App, 'name' | 'descriptiveName' | 'panels' | 'schedule' | 'owner' | 'createdAt'>

/** What may be changed of an app; what is left out stays as it is. */
export type AppChange = Partial<Pick<App, 'descriptiveName' | 'panels' | 'schedule'>>

const NAME_BYTES = 7

/**
 * A name for a new app: 56 random bits, so that two never meet in practice; the store refuses the second if they do.
 */
export const randomAppName = (): string => randomBytes(NAME_BYTES).toString('hex')
