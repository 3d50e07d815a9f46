import { escapeIdentifier } from 'pg'
import { GrantsError } from '../grants.ts'
import { withPatientClient } from './connections.ts'
import { FUNCTIONS, RIGHTS } from './rights.ts'
import type { PostgresOptions } from './settings.ts'
import { readVersion, recordName } from './versions.ts'

const ROLE = `
  select pg_has_role(oid, $2, 'usage') as owns,
    has_schema_privilege(oid, $3, 'usage') or has_schema_privilege($2, $3, 'usage with grant option') as "mayUse"
  from pg_roles where rolname = $1
`

interface Found {
  readonly owns: boolean
  /** Whether the role may use the schema, or the owner of the tables can give it that privilege. */
  readonly mayUse: boolean
}

const refuse = (role: string, schema: string, found: Found | undefined): void => {
  if (found === undefined) throw new GrantsError('There is no such role.', 'Create it first: create role … login')
  if (found.owns) {
    throw new GrantsError("The role has all of the owner's privileges.", 'Specify a role that only the nodes use.')
  }
  if (found.mayUse) return
  throw new GrantsError(
    "The tables' owner is not allowed to grant usage on their schema.",
    `Run this as the schema's owner: grant usage on schema ${escapeIdentifier(schema)} to ${escapeIdentifier(role)}`
  )
}

/**
 * Returns the statements with which the owner of the tables gives a role the privileges to serve requests. They also
 * revoke the role's other privileges on these tables, and can be run again. Throws a GrantsError if the role can't be
 * given the privileges.
 */
export const writeGrants = async (options: PostgresOptions, role: string): Promise<string> =>
  await withPatientClient(options, async client => {
    const { schema, owner, record, missing } = await readVersion(client)
    if (owner === null || record === null || missing.length > 0) {
      throw new GrantsError(`The tables in the schema ${schema} are not up to date.`, 'Run trivial db migrate first.')
    }
    refuse(role, schema, (await client.query<Found>(ROLE, [role, owner, schema])).rows[0])
    const [within, by, to] = [schema, owner, role].map(escapeIdentifier) as [string, string, string]
    return [
      // In one transaction, so that running nodes never lose their privileges.
      'BEGIN;',
      ...[...new Set([schema, record.schema])].map(name => `GRANT USAGE ON SCHEMA ${escapeIdentifier(name)} TO ${to};`),
      ...Object.entries(RIGHTS).flatMap(([table, rights]) => [
        `REVOKE ALL ON TABLE ${within}.${escapeIdentifier(table)} FROM ${to};`,
        `GRANT ${rights.join(', ')} ON TABLE ${within}.${escapeIdentifier(table)} TO ${to};`
      ]),
      `GRANT SELECT ON TABLE ${recordName(record)} TO ${to};`,
      ...FUNCTIONS.map(name => `GRANT EXECUTE ON FUNCTION ${within}.${escapeIdentifier(name)}(text) TO ${to};`),
      // For the tables of later versions, so that nodes can use them before these statements are run again.
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${by} IN SCHEMA ${within}`,
      `  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${to};`,
      'COMMIT;'
    ].join('\n')
  })
