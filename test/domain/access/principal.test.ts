import { test } from 'tap'
import { keyPrincipalOf, principalOf, userPrincipalOf } from '../../../domain/access/principal.ts'
import type { UserPrincipal } from '../../../domain/access/principal.ts'
import { knownToken } from '../../helper.ts'

test('an unauthenticated request has no principal', async t => {
  for (const of of [principalOf, keyPrincipalOf, userPrincipalOf]) {
    t.throws(() => of({ principal: null }), { message: 'the request was not authenticated' })
  }
})

test('a client key is not a user, and a user is not a client key', async t => {
  const token = knownToken()
  const key = { kind: 'client_key', key: token.key, token, rate: null } as const
  const at = new Date()
  const user: UserPrincipal = {
    kind: 'user',
    user: {
      id: 1,
      name: 'Ada',
      email: 'ada@example.com',
      role: 'member',
      colorTheme: null,
      accountLocked: false,
      createdAt: at
    },
    session: { id: 's', userId: 1, digest: '', client: '', createdAt: at, expiresAt: at, address: '::1', agent: null }
  }
  t.equal(keyPrincipalOf({ principal: key }), key)
  t.equal(userPrincipalOf({ principal: user }), user)
  t.throws(() => keyPrincipalOf({ principal: user }), { message: /without a client key/ })
  t.throws(() => userPrincipalOf({ principal: key }), { message: /without a session/ })
})
