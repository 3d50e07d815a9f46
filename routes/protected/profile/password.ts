import { contextOf, userPrincipalOf } from '../../../domain/access/principal.ts'
import { InvalidFields, InvalidLogin, TooBusy } from '../../../domain/errors.ts'
import { issuesOf } from '../../../domain/field-issue.ts'
import { passwordIssues } from '../../../domain/users/passwords.ts'
import { userFields } from '../../../http/representations/users.ts'
import { checkPassword } from '../../../domain/users/sign-in.ts'
import { SignInLimited } from '../../../http/errors.ts'
import { noContent, problemReplies } from '../../../http/replies.ts'
import type { Handler } from '../../../plugins/app/validation.ts'

const PasswordBody = {
  type: 'object',
  required: ['current_password', 'password'],
  properties: {
    current_password: { ...userFields.password, description: 'The current password.' },
    password: userFields.password
  }
} as const

export const changePasswordSchema = {
  operationId: 'changePassword',
  summary: 'Change the password',
  description: 'Changes the password of the signed-in user, and ends all their other sessions.',
  tags: ['Signing in'],
  body: PasswordBody,
  response: {
    204: noContent('The password was changed.'),
    ...problemReplies(InvalidLogin, InvalidFields, SignInLimited, TooBusy)
  }
}

export const changePassword: Handler<typeof changePasswordSchema> = async (request, response) => {
  const { users, passwords, limitUser } = request.server
  const { user } = userPrincipalOf(request)
  const { current_password: current, password } = request.body
  await limitUser(response, user.id)
  const { passwordHash: checkedHash } = await checkPassword(passwords, await users.findAccount(user.email), current)
  const issues = issuesOf('password', await passwordIssues(password, user))
  if (issues.length > 0) throw new InvalidFields({ issues })
  await users.changePassword({ checkedHash, passwordHash: await passwords.hash(password) }, contextOf(request))
  return await response.code(204).send(null)
}
