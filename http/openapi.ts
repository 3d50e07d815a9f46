/** What the OpenAPI document says of the whole API; the routes' schemas say the rest. */
export const DESCRIPTION = `
Calls are authorized by a **client key** or by the session of a user. A client key is a long-lived Bearer token, tied
to no user and
no app, that reaches every app and overrides user and organization authorization. A key may be held to scopes,
addresses, a rate and an expiry; without any it reaches
everything. The operator of the service makes the first with \`npm run key:issue\`; a key with the scope
\`client_keys:write\` makes others.
Press *Authorize* and paste the \`key_access_token\` to try the calls on this page.

Users sign in with \`POST /auth/sign_in\` and reach what is theirs: the apps that they own, those of their
organizations, and those that they were
granted. A client key that is sent along with a session wins.

Client keys are for servers. A request with a client key that a browser sends from a page of another site is refused.

A query parameter that an operation does not describe is refused with 422, which names those that it has; only
\`GET /up\` and \`GET /ready\` ignore it. A slash at the end of a path changes nothing.

Every failure is a problem document (RFC 9457) with a stable \`code\`. Every reply has an \`x-request-id\`, by which the
operator finds the request in the log.
`.trim()

export const TAGS = [
  { name: 'Apps', description: 'Every app of every owner.' },
  { name: 'Tags', description: 'Labels on apps: a context and a name, such as `department` and `finance`.' },
  {
    name: 'Client keys',
    description:
      'Which servers have access: issue, restrict, watch, rotate and revoke keys. Each change applies to the ' +
      'next request.'
  },
  { name: 'Signing in', description: 'Sessions of users: sign up, in and out, and the profile.' },
  { name: 'Users', description: 'For administrators, and client keys that have the scope.' },
  { name: 'Organizations', description: 'Who belongs to them, as what.' },
  { name: 'Permissions', description: 'Who was granted what on which app, and who owns it.' },
  { name: 'Audits', description: 'Who changed what.' },
  { name: 'Nodes', description: 'Which processes serve, and from when on all of them obey a change.' },
  { name: 'Health', description: 'Whether the service is alive and ready. No credential is needed.' }
]

export const SECURITY_SCHEMES = {
  clientKey: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'key_access_token',
    description: 'A client key: the `key_access_token` that `npm run key:issue` prints, for server-to-server calls.'
  },
  userSession: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'session',
    description:
      'A session of a user: the `authorization` header of the reply to `POST /auth/sign_in`, without its first word.'
  },
  accessToken: {
    type: 'apiKey',
    in: 'header',
    name: 'access-token',
    description: 'A session in three headers: this one,'
  },
  client: { type: 'apiKey', in: 'header', name: 'client', description: 'this one,' },
  uid: {
    type: 'apiKey',
    in: 'header',
    name: 'uid',
    description: 'and this one, as the reply to `POST /auth/sign_in` has them.'
  }
} as const
