import type { FastifyReply, FastifyRequest } from 'fastify'
import { InvalidFields } from '../../../domain/errors.ts'
import { passwordIssues } from '../../../domain/users/passwords.ts'

/** The hash of a password that is to be set. Throws InvalidFields where it is too weak. */
export const hashPassword = async (
  password: string,
  about: { readonly name: string; readonly email: string },
  request: FastifyRequest,
  reply: FastifyReply
): Promise<string> => {
  const issues = await passwordIssues(password, about)
  if (issues.length > 0) throw new InvalidFields({ errors: issues })
  const { passwords, reauthorizeNow } = request.server
  const hash = await passwords.hash(password)
  // Many may wait to be hashed; whoever asked may have lost the right to, meanwhile.
  await reauthorizeNow(request, reply)
  return hash
}
