import type { Command } from './command.ts'

export interface Entry {
  /** A one-line summary for the list of commands and for completions. */
  summary: string
  /** Imports the command. Only the requested command is imported, because importing all of them would delay startup. */
  load: () => Promise<{ default: Command }>
}

export interface Group {
  summary: string
  commands: Readonly<Record<string, Entry>>
}

const key: Group = {
  summary: 'Issue, change, rotate and revoke client keys, and see how they are used',
  commands: {
    issue: { summary: 'Issue a client key', load: async () => await import('./key-issue.ts') },
    list: { summary: 'List client keys', load: async () => await import('./key-list.ts') },
    show: { summary: 'Show a client key and its tokens', load: async () => await import('./key-show.ts') },
    change: {
      summary: 'Change the name or the policy of a client key',
      load: async () => await import('./key-change.ts')
    },
    rotate: { summary: 'Give client keys a new token', load: async () => await import('./key-rotate.ts') },
    disable: {
      summary: 'Disable a client key',
      load: async () => ({ default: (await import('./key-switch.ts')).disable })
    },
    enable: {
      summary: 'Enable a disabled client key',
      load: async () => ({ default: (await import('./key-switch.ts')).enable })
    },
    revoke: { summary: 'Revoke client keys permanently', load: async () => await import('./key-revoke.ts') },
    inspect: {
      summary: 'Check whether a token is accepted, and if not, why',
      load: async () => await import('./key-inspect.ts')
    },
    usage: { summary: 'Show how client keys were used', load: async () => await import('./key-usage.ts') },
    advise: {
      summary: "Suggest the strictest policy that fits a client key's usage",
      load: async () => await import('./key-advise.ts')
    },
    secrets: {
      summary: 'Show how many tokens depend on each CLIENT_SECRET',
      load: async () => await import('./key-secrets.ts')
    }
  }
}

/** All commands. */
export const commands: Readonly<Record<string, Entry | Group>> = {
  quickstart: {
    summary: 'Try the service with sample data and a client key',
    load: async () => await import('./quickstart.ts')
  },
  serve: { summary: 'Start the service', load: async () => await import('./serve.ts') },
  key,
  user: {
    summary: 'Create, change, lock and remove users',
    commands: {
      create: { summary: 'Create a user', load: async () => await import('./user-create.ts') },
      list: { summary: 'List users', load: async () => await import('./user-list.ts') },
      show: { summary: 'Show a user and their apps', load: async () => await import('./user-show.ts') },
      change: {
        summary: 'Change the name, e-mail address or role of a user',
        load: async () => await import('./user-change.ts')
      },
      lock: {
        summary: 'Lock a user and end their sessions',
        load: async () => ({ default: (await import('./user-switch.ts')).lock })
      },
      unlock: {
        summary: 'Unlock a locked user',
        load: async () => ({ default: (await import('./user-switch.ts')).unlock })
      },
      password: { summary: 'Set a new password for a user', load: async () => await import('./user-password.ts') },
      remove: { summary: 'Remove a user', load: async () => await import('./user-remove.ts') }
    }
  },
  service: {
    summary: 'Add, change and remove services whose requests are authorized with client keys',
    commands: {
      add: { summary: 'Add a service', load: async () => await import('./service-add.ts') },
      list: { summary: 'List services', load: async () => await import('./service-list.ts') },
      show: { summary: 'Show a service and its scopes', load: async () => await import('./service-show.ts') },
      change: { summary: 'Change a service or its scopes', load: async () => await import('./service-change.ts') },
      remove: { summary: 'Remove a service and its scopes', load: async () => await import('./service-remove.ts') }
    }
  },
  db: {
    summary: 'Migrate, back up and copy the database',
    commands: {
      migrate: {
        summary: 'Apply missing migrations to the database',
        load: async () => await import('./db-migrate.ts')
      },
      grants: {
        summary: 'Print the SQL that gives a role the privileges of a node',
        load: async () => await import('./db-grants.ts')
      },
      backup: { summary: 'Back up the database to a new file', load: async () => await import('./db-backup.ts') },
      copy: { summary: 'Copy the database to PostgreSQL', load: async () => await import('./db-copy.ts') },
      sample: { summary: 'Load sample data', load: async () => await import('./db-sample.ts') }
    }
  },
  node: {
    summary: 'Show the nodes that share the database',
    commands: { list: { summary: 'List the nodes', load: async () => await import('./node-list.ts') } }
  },
  audit: {
    summary: 'Read and check the audit trail',
    commands: {
      list: { summary: 'List the entries of the audit trail', load: async () => await import('./audit-list.ts') },
      verify: {
        summary: 'Check whether the audit trail is intact',
        load: async () => await import('./audit-verify.ts')
      }
    }
  },
  openapi: { summary: 'Print the OpenAPI document', load: async () => await import('./openapi.ts') },
  complete: {
    summary: 'Print a completion script for a shell',
    load: async () => await import('./complete.ts')
  }
}
