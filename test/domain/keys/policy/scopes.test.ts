import { test } from 'tap'
import {
  coversServiceScope,
  introspectedService,
  isOwnScope,
  KEY_SCOPE,
  mayGive,
  mayIntrospect,
  SCOPES,
  scopesCovering,
  serviceOf,
  withoutCovered
} from '../../../../domain/keys/policy/scopes.ts'
import { isPossibleScope } from '../../../../domain/services/checks.ts'
import { isReservedName } from '../../../../domain/services/reserved.ts'

test('a scope belongs to this API or to the service with whose name it begins', t => {
  for (const scope of [...SCOPES, '*']) {
    t.ok(isOwnScope(scope), scope)
    t.equal(serviceOf(scope), null, scope)
    t.ok(isPossibleScope(scope), scope)
    t.match(scope, new RegExp(KEY_SCOPE))
  }
  for (const scope of SCOPES) t.ok(isReservedName(String(scope.split(':')[0]).replace('_', '-')), scope)
  t.equal(serviceOf('orders:refunds:write'), 'orders')
  t.equal(serviceOf('orders:*'), 'orders')
  t.equal(serviceOf('orders'), '')
  t.equal(serviceOf('tokens:introspect:orders'), null)
  t.equal(introspectedService('tokens:introspect:orders'), 'orders')
  t.equal(introspectedService('tokens:introspect'), null)
  for (const scope of ['apps:delete', 'apps:*', 'client_keys:x', 'tokens:read', 'app:read', 'orders', '', 'o:read']) {
    t.notOk(isPossibleScope(scope), scope)
  }
  t.end()
})

test('* includes no scopes of services, and orders:* includes those of one service', t => {
  t.ok(coversServiceScope(['orders:*'], 'orders:read'))
  t.ok(coversServiceScope(['orders:*'], 'orders:*'))
  t.ok(coversServiceScope(['orders:read'], 'orders:read'))
  for (const scopes of [['*'], ['orders:read'], ['orders-eu:*'], ['tokens:introspect'], []]) {
    t.notOk(coversServiceScope(scopes, 'orders:*'), scopes.join())
    t.notOk(coversServiceScope(scopes, 'orders:write'), scopes.join())
  }
  t.ok(mayIntrospect(['*'], 'orders'))
  t.ok(mayIntrospect(['tokens:introspect'], 'orders'))
  t.ok(mayIntrospect(['tokens:introspect:orders'], 'orders'))
  for (const scopes of [['tokens:introspect:ledger'], ['orders:*'], []]) t.notOk(mayIntrospect(scopes, 'orders'))
  t.end()
})

test('whoever may give a scope has it, except that unscoped keys may give those of services', t => {
  t.ok(mayGive(['*'], 'orders:read'))
  t.ok(mayGive(['*'], 'orders:*'))
  t.ok(mayGive(['orders:*'], 'orders:read'))
  t.ok(mayGive(['apps:read'], 'apps:read'))
  t.ok(mayGive(['tokens:introspect'], 'tokens:introspect:orders'))
  for (const [own, scope] of [
    ['orders:read', 'orders:*'],
    ['orders:*', 'ledger:read'],
    ['orders:*', '*'],
    ['orders:*', 'tokens:introspect:orders'],
    ['tokens:introspect:orders', 'tokens:introspect'],
    ['tokens:introspect:orders', 'tokens:introspect:ledger'],
    ['apps:read', 'apps:write'],
    ['apps:read', 'apps:*']
  ] as const) {
    t.notOk(mayGive([own], scope), `${own} ${scope}`)
  }
  t.end()
})

test('scopes that others include are left out', t => {
  t.same(withoutCovered(['orders:read', 'apps:read', '*', 'orders:*', 'tokens:introspect:a']), ['*', 'orders:*'])
  t.same(withoutCovered(['orders:b', 'users:read', 'apps:read', 'orders:b', 'orders:a']), [
    'apps:read',
    'users:read',
    'orders:b',
    'orders:a'
  ])
  t.same(scopesCovering('*'), ['*'])
  t.same(scopesCovering('apps:read'), ['apps:read', '*'])
  t.same(scopesCovering('tokens:introspect:a'), ['tokens:introspect:a', 'tokens:introspect', '*'])
  t.same(scopesCovering('orders:*'), ['orders:*'])
  t.same(scopesCovering('orders:a'), ['orders:a', 'orders:*'])
  t.end()
})
