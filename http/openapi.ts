/** What the OpenAPI document says of the whole API; the routes' schemas say the rest. */
export const DESCRIPTION = `
Calls need a **client key** or the session of a user, as \`Authorization: Bearer …\`. A client key is a long-lived token
that belongs to no user and no app. Without limits it reaches every app of every owner, whatever users and organizations
may do. It can be limited to scopes, addresses, a rate and a time.

The operator of the service issues the first key, which is active at once:
\`npm run key:issue -- --name <name> --scope apps:read --expires 90d\`. A key with the scope \`client_keys:write\`
issues others. Press *Authorize* and paste the \`key_access_token\` to try the calls on this page. What a form contains
at first changes and deletes nothing that exists.

Users sign in with \`POST /auth/sign_in\` and reach the apps that they own, those of their organizations, and those on
which they have grants. The reply has the session as \`authorization\`; Trivial's clients send it in three headers
instead: \`access-token\`, \`client\` and \`uid\`. If a request has a session and a client key, the client key is
used.

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
