import { clientKeyTokens } from '../schema.ts'

export const tokenColumns = {
  generation: clientKeyTokens.generation,
  hint: clientKeyTokens.hint,
  createdAt: clientKeyTokens.createdAt,
  expiresAt: clientKeyTokens.expiresAt,
  revokedAt: clientKeyTokens.revokedAt,
  lastUsedAt: clientKeyTokens.lastUsedAt,
  lastUsedIp: clientKeyTokens.lastUsedIp,
  lastUsedAgent: clientKeyTokens.lastUsedAgent,
  useCount: clientKeyTokens.useCount
}
