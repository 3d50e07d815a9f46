import { randomBytes } from 'node:crypto'

/**
 * The owner of an app. Users and organizations are numbered separately, so a user and an organization may have the same
 * id.
 */
export interface Owner {
  readonly type: 'User' | 'Organization'
  readonly id: number
}

/** Serialized JSON. The service stores and returns panels and schedules unchanged, without interpreting them. */
export type Json = string

export interface Tag {
  readonly id: number
  readonly context: string
  readonly name: string
}

/** The fields that identify an app's tag. */
export type TagKey = Omit<Tag, 'id'>

export interface App {
  readonly id: number
  /** The unique name that identifies the app in URLs: 14 lowercase hexadecimal digits. */
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
  /** When the app was discarded, or null if it hasn't been. */
  readonly discardedAt: Date | null
}

/** An app to store. The store adds the `id` and the `port`. */
export type NewApp = Pick<App, 'name' | 'descriptiveName' | 'panels' | 'schedule' | 'owner' | 'createdAt'>

/** The fields of an app that can be changed. Omitted fields stay unchanged. */
export type AppChange = Partial<Pick<App, 'descriptiveName' | 'panels' | 'schedule'>>

const NAME_BYTES = 7

/**
 * Returns a random name for a new app. With 56 random bits, a collision is very unlikely; if one occurs, the unique
 * index rejects the new app.
 */
export const randomAppName = (): string => randomBytes(NAME_BYTES).toString('hex')
