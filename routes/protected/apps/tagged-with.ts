import type { TagKey } from '../../../domain/apps/app.ts'

/** How many tags a list may be filtered by. */
export const MAX_TAGS = 20

/**
 * Reads a `tagged_with` filter: a JSON array of objects whose members are contexts and names, such as
 * `[{"department":"finance"},{"stage":"production"}]`. Answers null for anything else, for more than `MAX_TAGS` tags,
 * and if one has the character U+0000, which not every database takes, or half of a surrogate pair.
 */
export const parseTaggedWith = (text: string): TagKey[] | null => {
  const filter = parse(text)
  if (!Array.isArray(filter)) return null
  const tags: TagKey[] = []
  for (const entry of filter as unknown[]) {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return null
    for (const [context, name] of Object.entries(entry)) {
      if (typeof name !== 'string' || tags.length === MAX_TAGS) return null
      if (!isStorable(context) || !isStorable(name)) return null
      tags.push({ context, name })
    }
  }
  return tags
}

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
