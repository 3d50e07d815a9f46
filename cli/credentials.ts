/** Returns a message with the two secret values of a new key or token, which are only printed once. */
export const credentialsText = (keyId: string, keyAccessToken: string): string => `Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}`

/** Returns a message that shows how a client sends the token. */
export const callText = (keyAccessToken: string): string => `The client sends:

  Authorization: Bearer ${keyAccessToken}`
