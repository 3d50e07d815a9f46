import { OWNER } from '../json/validation.ts'
import type { Owner } from './app.ts'

/** What the deletion of an owner takes: a new one for the apps. */
export const TransferQuery = {
  type: 'object',
  properties: {
    transfer_to: {
      type: 'string',
      pattern: OWNER,
      description: 'Who gets the apps: `User:` or `Organization:` and an id.'
    }
  }
} as const

/** The owner that such a query names; null where it names none. */
export const toNewOwner = ({ transfer_to: text }: { readonly transfer_to?: string }): Owner | null => {
  if (text === undefined) return null
  const [type, id] = text.split(':')
  return { type: type === 'User' ? 'User' : 'Organization', id: Number(id) }
}

/** What a path calls an app by: its name of 14 hexadecimal digits, or else its id. */
export const toAppKey = (text: string): string | number => (/^[1-9]\d{0,12}$/.test(text) ? Number(text) : text)
