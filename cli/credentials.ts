/** Returns the message that shows the two secret values of a new key or token, which are printed only once. */
export const credentialsText = (keyId: string, keyAccessToken: string): string => `Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}`

/** Returns the message that shows how a client uses the given token. */
export const callText = (keyAccessToken: string): string => `The client sends:

  Authorization: Bearer ${keyAccessToken}`
