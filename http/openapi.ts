/** The description of the API in the OpenAPI document. The routes' schemas describe the operations. */
export const DESCRIPTION = [
  "Requests are authenticated with a **client key** or a user's session, sent as `Authorization: Bearer …`. A " +
    'client key is a long-lived token that does not belong to a user or an app. By default, it gives access to every ' +
    'app of every owner, regardless of the permissions of users and organizations. It can be restricted by scope, IP ' +
    'address, request rate and expiry date.',

  'The operator of the service issues the first key, which is active immediately: `npm run key:issue -- --name ' +
    '<name> --scope apps:read --expires 90d`. A key with the scope `client_keys:write` can issue more. To send ' +
    'requests from this page, press *Authorize* and paste the `key_access_token`. Requests with the prefilled values ' +
    'never change or delete existing data.',

  'Users sign in with `POST /auth/sign_in`. They have access to their own apps, to the apps of their ' +
    'organizations, and to apps on which they have been granted permissions. The reply contains the session in its ' +
    "`authorization` header. Trivial's clients send it in three headers instead: `access-token`, `client` and `uid`. " +
    'If a request contains both a session and a client key, the client key is used.',

  'Client keys are for servers. If a browser sends a client key from a page of another site, the request is refused.',

  'A query parameter that an operation does not describe is refused with 422, and the reply lists the parameters ' +
    'that ' +
    'the operation accepts. Only `GET /up` and `GET /ready` ignore unknown parameters. A slash at the end of a path ' +
    'is ignored.',

  'Every failure is a problem document (RFC 9457) with a stable `code`. Every reply has an `x-request-id` header, ' +
    "which identifies the request in the service's log."
].join('\n\n')

export const TAGS = [
  { name: 'Apps', description: 'The apps of all owners.' },
  { name: 'Tags', description: 'Labels for apps. A tag has a context and a name, such as `department` and `finance`.' },
  {
    name: 'Client keys',
    description:
      'The credentials of servers. Keys can be issued, restricted, monitored, rotated and revoked. Each change ' +
      'applies from the next request.'
  },
  {
    name: 'Signing in',
    description: 'Sign-up, sign-in and sign-out, and the profile and sessions of the signed-in user.'
  },
  {
    name: 'Services',
    description: 'Other programs whose requests are authorized with client keys, and the scopes that keys can have.'
  },
  {
    name: 'Introspection',
    description: 'Other services ask whether tokens are active. A revoked key is inactive at the next request.'
  },
  { name: 'Signing in', description: 'Signing up, in and out, and the profile and sessions of the signed-in user.' },
  { name: 'Users', description: 'User management, for administrators and for client keys with the required scope.' },
  { name: 'Organizations', description: 'Organizations, their users, and the roles of those users.' },
  {
    name: 'Permissions',
    description: 'The permissions that users have on apps, and the transfer of apps to other owners.'
  },
  { name: 'Audits', description: 'The audit trail: who changed what, and when.' },
  {
    name: 'Nodes',
    description: 'The processes of the service, and receipts that show when changes took effect on all of them.'
  },
  { name: 'Health', description: 'Checks whether the service is alive and ready. No credential is needed.' }
]
