import { randomBytes } from 'node:crypto'
import { createPasswordHasher } from '../domain/users/passwords.ts'
import { createUserService } from '../domain/users/service.ts'
import type { User } from '../domain/users/user.ts'
import { operatorContext } from './operator.ts'
import { withStorage } from './storage.ts'
import type { Terminal } from './terminal.ts'

const PASSWORD_BYTES = 18

/** A random password, which nobody could guess. */
export const newPassword = (): string => randomBytes(PASSWORD_BYTES).toString('base64url')

/** Stores a user in the database, with the hash of the password. Throws a DomainError. */
export const createUser = async (
  terminal: Terminal,
  password: string,
  user: Pick<User, 'name' | 'email' | 'role'>
): Promise<User> =>
  await withStorage(terminal, async storage => {
    const passwordHash = await createPasswordHasher().hash(password)
    return await createUserService(storage).create({ ...user, passwordHash }, operatorContext())
  })
