import type { Config } from './schema.ts'

/** The variables that `keySettings` reads. */
export const KEY_VARIABLES = [
  'CLIENT_SECRET',
  'CLIENT_SECRET_PREVIOUS',
  'CLIENT_KEYS',
  'CLIENT_KEY_JWT'
] as const satisfies (keyof Config)[]

/** Returns the settings for client keys that both the service and the command line use. */
export const keySettings = (config: Readonly<Pick<Config, (typeof KEY_VARIABLES)[number]>>) => ({
  secret: config.CLIENT_SECRET,
  previousSecrets: config.CLIENT_SECRET_PREVIOUS,
  allowList: config.CLIENT_KEYS,
  acceptLegacyTokens: config.CLIENT_KEY_JWT
})
