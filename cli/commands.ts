import type { Command } from './command.ts'

export interface Entry {
  /** One line, for the list of commands and the completion. */
  summary: string
  /** A command is loaded only when it is asked for: it does not wait for what the others need. */
  load: () => Promise<{ default: Command }>
}

export interface Group {
  summary: string
  commands: Readonly<Record<string, Entry>>
}

const key: Group = {
  summary: 'Issue, change, rotate and revoke client keys, and see how they are used',
  commands: {
    issue: { summary: 'Make a client key', load: async () => await import('./key-issue.ts') },
    list: { summary: 'List client keys', load: async () => await import('./key-list.ts') },
    show: { summary: 'Show a client key and its tokens', load: async () => await import('./key-show.ts') },
    change: { summary: 'Change what a client key may do', load: async () => await import('./key-change.ts') },
    rotate: { summary: 'Give client keys a new token', load: async () => await import('./key-rotate.ts') },
    disable: {
      summary: 'Stop a client key',
      load: async () => ({ default: (await import('./key-switch.ts')).disable })
    },
    enable: {
      summary: 'Let a disabled client key in again',
      load: async () => ({ default: (await import('./key-switch.ts')).enable })
    },
    revoke: { summary: 'Revoke a client key permanently', load: async () => await import('./key-revoke.ts') },
    inspect: {
      summary: 'Tell whether a token is accepted, and why not',
      load: async () => await import('./key-inspect.ts')
    },
    usage: { summary: 'Show how a client key was used', load: async () => await import('./key-usage.ts') },
    advise: {
      summary: 'Propose the least policy that would have served a client key',
      load: async () => await import('./key-advise.ts')
    },
    secrets: {
      summary: 'Show how many tokens depend on each CLIENT_SECRET',
      load: async () => await import('./key-secrets.ts')
    }
  }
}

/** Every command there is. */
export const commands: Readonly<Record<string, Entry | Group>> = {
  quickstart: {
    summary: 'Show the service at work, with sample data and a client key',
    load: async () => await import('./quickstart.ts')
  },
  serve: { summary: 'Start the service', load: async () => await import('./serve.ts') },
  key,
  user: {
    summary: 'Create, change, lock and remove users',
    commands: {
      create: { summary: 'Make a user', load: async () => await import('./user-create.ts') },
      list: { summary: 'List users', load: async () => await import('./user-list.ts') },
      show: { summary: 'Show a user and what belongs to them', load: async () => await import('./user-show.ts') },
      change: {
        summary: 'Change the name, the address or the role of a user',
        load: async () => await import('./user-change.ts')
      },
      lock: {
        summary: 'End the sessions of a user, who can not sign in until unlocked',
        load: async () => ({ default: (await import('./user-switch.ts')).lock })
      },
      unlock: {
        summary: 'Let a locked user sign in again',
        load: async () => ({ default: (await import('./user-switch.ts')).unlock })
      },
      password: { summary: 'Set another password of a user', load: async () => await import('./user-password.ts') },
      remove: { summary: 'Remove a user', load: async () => await import('./user-remove.ts') }
    }
  },
  db: {
    summary: 'Look after the database',
    commands: {
      migrate: { summary: 'Bring the database up to date', load: async () => await import('./db-migrate.ts') },
      grants: { summary: 'Print what a role needs to serve', load: async () => await import('./db-grants.ts') },
      backup: { summary: 'Copy the database to a new file', load: async () => await import('./db-backup.ts') },
      copy: { summary: 'Move the database to PostgreSQL', load: async () => await import('./db-copy.ts') },
      sample: { summary: 'Load sample data', load: async () => await import('./db-sample.ts') }
    }
  },
  node: {
    summary: 'See which processes serve from the database',
    commands: { list: { summary: 'List the nodes', load: async () => await import('./node-list.ts') } }
  },
  audit: {
    summary: 'Read and check the audit trail',
    commands: {
      list: { summary: 'List the entries of the audit trail', load: async () => await import('./audit-list.ts') },
      verify: { summary: 'Tell whether the audit trail is whole', load: async () => await import('./audit-verify.ts') }
    }
  },
  openapi: { summary: 'Print the OpenAPI document', load: async () => await import('./openapi.ts') },
  complete: {
    summary: 'Print the completion script of a shell',
    load: async () => await import('./complete.ts')
  }
}
