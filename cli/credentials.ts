/** Returns the text that shows the two values of a new key or token. They are printed only once. */
export const credentialsText = (keyId: string, keyAccessToken: string): string => `Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}`

/** Returns the text that shows how a client uses a token. */
export const callText = (keyAccessToken: string): string => `The client sends:

  Authorization: Bearer ${keyAccessToken}`
