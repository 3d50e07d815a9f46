const header = (description: string, example: string) => ({ type: 'string', description, examples: [example] }) as const

/** The headers of a reply that begins a session, as its documentation has them. */
export const sessionHeaderDocs = {
  'access-token': header('The token of the session. Secret, and never shown again.', '<43 letters, digits, - and _>'),
  'token-type': header('Always `Bearer`.', 'Bearer'),
  client: header('Names the client.', '<22 letters, digits, - and _>'),
  expiry: header('When the session ends: seconds since 1970.', '1768815600'),
  uid: header('The e-mail address.', 'ada@example.com'),
  authorization: header('All of these in one, to be sent as it is.', 'Bearer <base64>')
} as const
