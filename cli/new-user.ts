import { openStorage } from '../db/open.ts'
import { createPasswordHasher } from '../domain/users/passwords.ts'
import { createUserService } from '../domain/users/service.ts'
import type { User } from '../domain/users/user.ts'
import { operatorContext } from './operator.ts'

/** Stores a user in a database, with the hash of the password. Throws a DomainError. */
export const createUser = async (
  databaseUrl: string,
  password: string,
  user: Pick<User, 'name' | 'email' | 'role'>
): Promise<User> => {
  const storage = await openStorage(databaseUrl)
  try {
    const passwordHash = await createPasswordHasher().hash(password)
    return await createUserService(storage).create({ ...user, passwordHash }, operatorContext())
  } finally {
    await storage.close()
  }
}
