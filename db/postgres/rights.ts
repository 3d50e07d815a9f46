/** The privileges that a role needs on each table to serve requests. It needs no others. */
export const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  app_port_counter: ['SELECT', 'UPDATE'],
  apps: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  // A trigger updates it as the owner.
  audit_head: ['SELECT'],
  audits: ['SELECT', 'INSERT'],
  client_key_attempts: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  client_key_changes: ['SELECT', 'INSERT', 'DELETE'],
  client_key_tokens: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  client_key_usage: ['SELECT', 'INSERT', 'UPDATE'],
  client_keys: ['SELECT', 'INSERT', 'UPDATE'],
  database_marks: ['SELECT'],
  environment_key_revocations: ['SELECT', 'INSERT'],
  environment_key_uses: ['SELECT', 'INSERT', 'UPDATE'],
  grants: ['SELECT', 'INSERT', 'DELETE'],
  memberships: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  nodes: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  organizations: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  rate_counters: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  secret_generations: ['SELECT', 'INSERT', 'DELETE'],
  services: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  sessions: ['SELECT', 'INSERT', 'DELETE'],
  tags: ['SELECT', 'INSERT', 'DELETE'],
  user_places: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  users: ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
}

/** The functions that run as the owner and do what a role that serves requests isn't allowed to do itself. */
export const FUNCTIONS = ['make_usage_day', 'drop_usage_days'] as const

// The schema of the tables.
const NAMESPACE = '(select oid from pg_namespace where nspname = current_schema())'

/** Selects the tables and functions for which the connection's role lacks a privilege that it needs. */
export const LACKING = `
  select relname as name from unnest($1::text[], $2::text[]) as needed (name, privilege)
    join pg_class on relname = needed.name and relnamespace = ${NAMESPACE}
    where not has_table_privilege(pg_class.oid, privilege)
  union select proname from pg_proc
    where proname = any($3) and pronamespace = ${NAMESPACE} and not has_function_privilege(pg_proc.oid, 'execute')
  order by name
`

const NEEDED = Object.entries(RIGHTS).flatMap(([table, rights]) => rights.map(right => [table, right] as const))

/** The parameters of `LACKING`. */
export const LACKING_VALUES = [NEEDED.map(([table]) => table), NEEDED.map(([, right]) => right), FUNCTIONS]
