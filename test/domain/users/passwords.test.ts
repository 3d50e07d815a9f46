import { test } from 'tap'
import { createPasswordHasher, passwordIssues } from '../../../domain/users/passwords.ts'

test('a password is compared with its hash, and the comparison is the same if there is no hash', async t => {
  const { hash, verify } = createPasswordHasher()
  const hashed = await hash('Ünïcode kettles')
  t.match(hashed, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.ok(await verify(hashed, 'Ünïcode kettles'))
  t.ok(await verify(hashed, 'Ünïcode kettles'.normalize('NFD')), 'Unicode normalization does not matter')
  t.notOk(await verify(hashed, 'ünïcode kettles'))
  t.notOk(await verify(null, 'nobody has this password'), 'without a hash, every password is wrong')
})

test('at most a hundred passwords can wait, and others are refused temporarily', async t => {
  const { verify } = createPasswordHasher()
  const outcomes = await Promise.allSettled(Array.from({ length: 130 }, () => verify(null, 'x')))
  const refused = outcomes.filter(({ status }) => status === 'rejected')
  t.ok(refused.length > 0 && refused.length < 30)
  t.match(refused[0], { reason: { code: 'TOO_BUSY' } })
  t.notOk(await verify(null, 'x'), 'passwords are accepted again when the queue is empty')
})

test('a failed check rejects only its own call, and the next check is carried out', async t => {
  const { verify, waiting } = createPasswordHasher()
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => verify('no hash at all', 'x')))
  t.same(new Set(outcomes.map(({ status }) => status)), new Set(['rejected']))
  t.equal(waiting(), 0)
  t.notOk(await verify(null, 'x'))
})

test("a password must be long, but not too long, not common, and not derived from the user's known data", async t => {
  const about = { name: 'Ada Lovelace Byron', email: 'ada.lovelace@example.com' }
  for (const good of ['seven green kettles', 'x7!kQz2#pLm9', '漢字漢字 かな交じり文 です']) {
    t.same(await passwordIssues(good, about), [], good)
  }
  for (const bad of [
    '',
    'x'.repeat(11),
    'ab'.repeat(65),
    'ADA.lovelace@example.com',
    'ada lovelace byron',
    'passwordpassword',
    '123412341234',
    'abababababab',
    'Administrator99',
    'unbelievable',
    '\ud800'.repeat(12),
    'e\u0301'.repeat(6),
    'seven\ngreen kettles'
  ]) {
    t.equal((await passwordIssues(bad, about)).length, 1, bad)
  }
})
