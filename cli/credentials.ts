/** The two values of a new key or token that are printed this once. */
export const credentialsText = (keyId: string, keyAccessToken: string): string => `Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}`

/** How a client uses a token. */
export const callText = (keyAccessToken: string): string => `The client sends:

  Authorization: Bearer ${keyAccessToken}`
