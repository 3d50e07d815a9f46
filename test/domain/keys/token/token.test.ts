import { createCipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { test } from 'tap'
import { decodeBase62, encodeBase62 } from '../../../../domain/keys/token/base62.ts'
import {
  claimedGeneration,
  createTokenSealer,
  digestOf,
  generationOf,
  issueClientKey
} from '../../../../domain/keys/token/token.ts'
import { newSecret } from '../../../helper.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

// An independent implementation of the format, with BigInt.
const toDigits = (value: bigint, width: number): string => {
  let text = ''
  for (let rest = value; text.length < width; rest /= 62n) text = ALPHABET.charAt(Number(rest % 62n)) + text
  return text
}
const toValue = (digits: string): bigint =>
  Array.from(digits).reduce((value, digit) => value * 62n + BigInt(ALPHABET.indexOf(digit)), 0n)
const withChecksum = (body: string): string => body + toDigits(BigInt(crc32(body)), 6)
const pack = (bytes: Buffer): string => withChecksum('tck_' + toDigits(BigInt('0x' + bytes.toString('hex')), 66))

const sealByHand = (secret: string, keyId: string, version = 1, generation?: Buffer): Buffer => {
  const head = Buffer.concat([
    Buffer.from([version]),
    generation ?? createHash('sha256').update(secret).digest().subarray(0, 4)
  ])
  const nonce = randomBytes(12)
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'trivial client key v1', 32))
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.concat([Buffer.from('tck_'), head]))
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(keyId, 'hex')), cipher.final()])
  return Buffer.concat([head, nonce, ciphertext, cipher.getAuthTag()])
}

test('a token consists of tck_, 66 base62 digits and a 6-digit checksum, and opening it returns its key_id', async t => {
  const sealer = createTokenSealer(newSecret())
  for (let i = 0; i < 200; i++) {
    const { keyId, keyAccessToken } = issueClientKey(sealer)
    t.match(keyId, /^[0-9a-f]{32}$/)
    t.match(keyAccessToken, /^tck_[0-9A-Za-z]{72}$/)
    t.strictSame(sealer.open(keyAccessToken), { ok: true, keyId, generation: sealer.generation })
  }
})

test('a token matches the example in the specification', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const keyId = randomBytes(16).toString('hex')
  t.strictSame(sealer.open(pack(sealByHand(secret, keyId))), {
    ok: true,
    keyId,
    generation: createHash('sha256').update(secret).digest('hex').slice(0, 8)
  })
  const bytes = toValue(sealer.seal(keyId).slice(4, 70)).toString(16)
  t.equal(bytes.length, 97, 'version 1 is the first of 49 bytes')
  t.ok(bytes.startsWith(`1${sealer.generation}`))
})

test('sealing the same key_id twice returns different tokens', async t => {
  const sealer = createTokenSealer(newSecret())
  const { keyId } = issueClientKey(sealer)
  t.not(sealer.seal(keyId), sealer.seal(keyId))
})

test('a token with any changed character is refused', async t => {
  const sealer = createTokenSealer(newSecret())
  const { keyAccessToken: token } = issueClientKey(sealer)
  const opened: string[] = []
  for (let i = 0; i < token.length; i++) {
    for (const character of ALPHABET + '_-+/= .é\n\0') {
      if (character === token[i]) continue
      const changed = token.slice(0, i) + character + token.slice(i + 1)
      if (sealer.open(changed).ok) opened.push(changed)
    }
  }
  t.strictSame(opened, [])
})

test('a token with any changed digit is refused, even with a matching checksum', async t => {
  const sealer = createTokenSealer(newSecret())
  const { keyAccessToken: token } = issueClientKey(sealer)
  const issues = new Set<string>()
  for (let i = 4; i < 70; i++) {
    for (const character of ALPHABET) {
      if (character === token[i]) continue
      const opened = sealer.open(withChecksum(token.slice(0, i) + character + token.slice(i + 1, 70)))
      issues.add(opened.ok ? 'opened' : opened.issue)
    }
  }
  t.strictSame([...issues].sort(), ['forged', 'malformed', 'unknown_generation', 'unknown_version'])
})

test('shortened and extended tokens are refused', async t => {
  const sealer = createTokenSealer(newSecret())
  const { keyAccessToken: token } = issueClientKey(sealer)
  for (let length = 0; length < token.length; length++) t.notOk(sealer.open(token.slice(0, length)).ok)
  for (const extra of ['0', 'A', ' ', '\n', '\0', '=', token]) {
    t.notOk(sealer.open(token + extra).ok)
    t.notOk(sealer.open(extra + token).ok)
  }
})

test('a token has only one encoding: 66 digits that overflow 49 bytes are refused', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const sealed = sealByHand(secret, randomBytes(16).toString('hex'))
  const value = BigInt('0x' + sealed.toString('hex'))
  t.ok(sealer.open(withChecksum('tck_' + toDigits(value, 66))).ok)
  t.same(sealer.open(withChecksum('tck_' + toDigits(value + ((1n << 392n) % 62n ** 66n), 66))), {
    ok: false,
    issue: 'malformed'
  })
  t.same(sealer.open(withChecksum('tck_' + 'z'.repeat(66))), { ok: false, issue: 'malformed' })
})

test('tokens are case-sensitive, and require the prefix', async t => {
  const sealer = createTokenSealer(newSecret())
  const { keyAccessToken: token } = issueClientKey(sealer)
  for (const other of [
    token.toUpperCase(),
    token.toLowerCase(),
    'TCK_' + token.slice(4),
    withChecksum('tcj_' + token.slice(4, 70))
  ]) {
    t.notOk(sealer.open(other).ok)
  }
})

test('a token with another secret, version or generation is refused', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const keyId = randomBytes(16).toString('hex')
  t.same(sealer.open(createTokenSealer(newSecret()).seal(keyId)), { ok: false, issue: 'unknown_generation' })
  t.same(sealer.open(pack(sealByHand(secret, keyId, 2))), { ok: false, issue: 'unknown_version' })
  t.same(sealer.open(pack(sealByHand(secret, keyId, 1, randomBytes(4)))), { ok: false, issue: 'unknown_generation' })
  const known = Buffer.from(sealer.generation, 'hex')
  t.same(sealer.open(pack(sealByHand(newSecret(), keyId, 1, known))), { ok: false, issue: 'forged' })
})

test('previous secrets open tokens, but never seal them', async t => {
  const [old, current] = [newSecret(), newSecret()]
  const before = createTokenSealer(old)
  const { keyId, keyAccessToken } = issueClientKey(before)
  const after = createTokenSealer(current, [newSecret(), old])
  t.same(after.open(keyAccessToken), { ok: true, keyId, generation: before.generation })
  t.same(before.open(after.seal(keyId)), { ok: false, issue: 'unknown_generation' })
})

test('no string causes open to throw', async t => {
  const sealer = createTokenSealer(newSecret())
  const strings = [
    '',
    '\0',
    'tck_',
    '\ud800'.repeat(76),
    '💥'.repeat(38),
    'tck_' + '\ud800'.repeat(72),
    'tck_' + 'é'.repeat(72),
    'x'.repeat(1e6),
    'tck_'.repeat(19)
  ]
  for (let length = 0; length < 200; length++) {
    strings.push(randomBytes(length).toString('latin1'), randomBytes(length).toString('utf16le'))
  }
  for (const text of strings) t.notOk(sealer.open(text).ok)
  t.same(sealer.open(withChecksum('tck_' + 'é'.repeat(66))), { ok: false, issue: 'malformed' })
})

test('base62 encoding agrees with BigInt arithmetic', async t => {
  for (let i = 0; i < 500; i++) {
    const bytes = randomBytes(1 + (i % 60))
    const digits = Math.ceil((bytes.length * 8) / Math.log2(62))
    const text = encodeBase62(bytes, digits)
    t.equal(text, toDigits(BigInt('0x' + bytes.toString('hex')), digits))
    t.same(decodeBase62(text, bytes.length), bytes)
  }
  t.throws(() => encodeBase62(Buffer.from('ffff', 'hex'), 2), RangeError)
  t.equal(decodeBase62('48', 1), null, '256 does not fit in a byte')
  t.equal(decodeBase62('-', 1), null)
  t.equal(decodeBase62('zzzzzzzz', 1), null)
})

test('a digest is the SHA-256 of the hexadecimal key_id', async t => {
  t.equal(digestOf('another-key'), createHash('sha256').update('another-key').digest('hex'))
})

test('a generation can be read only from a well-formed token', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const token = sealer.seal('0'.repeat(32))
  t.equal(claimedGeneration(token), generationOf(secret))
  t.equal(generationOf(secret), sealer.generation)
  const tooLarge = `tck_${'z'.repeat(66)}`
  for (const none of [
    '',
    'tck_',
    token.slice(0, -1),
    `x${token.slice(1)}`,
    token.slice(0, -1) + (token.endsWith('0') ? '1' : '0'),
    withChecksum(tooLarge),
    `${tooLarge}!!!!!!`
  ]) {
    t.equal(claimedGeneration(none), null, none)
  }
})
