import { createCipheriv, createDecipheriv, createSecretKey, hash, hkdfSync, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { decodeBase62, encodeBase62, readBase62 } from './base62.ts'
import type { ClientKeyRecord } from '../client-key.ts'

const PREFIX = 'tck_'
const SEALED_DIGITS = 66
const CHECKSUM_DIGITS = 6
const CHECKSUM_START = PREFIX.length + SEALED_DIGITS
const TOKEN_LENGTH = CHECKSUM_START + CHECKSUM_DIGITS

const VERSION = 1
const GENERATION_START = 1
const NONCE_START = 5
const CIPHERTEXT_START = 17
const TAG_START = 33
const SEALED_BYTES = 49
const KEY_ID_BYTES = 16

const CIPHER = 'aes-256-gcm'
const HKDF_INFO = 'trivial client key v1'

/** The reason why a token couldn't be opened. It's only for logs, and is never sent to the requester. */
export type TokenIssue = 'malformed' | 'bad_checksum' | 'unknown_version' | 'unknown_generation' | 'forged'

export type OpenedToken = { ok: true; keyId: string; generation: string } | { ok: false; issue: TokenIssue }

export interface IssuedClientKey {
  /** 32 lowercase hexadecimal digits. A secret that is shown only once. */
  keyId: string
  /** The Bearer token, which has 76 characters. A secret that is shown only once. */
  keyAccessToken: string
}

/** Seals tokens with the current secret. Opens tokens that were sealed with the current secret or a previous one. */
export interface TokenSealer {
  /** The generation of the current secret: the first 4 bytes of its SHA-256, as 8 hexadecimal digits. */
  generation: string
  /**
   * Seals a `key_id` of 32 lowercase hexadecimal digits. Each token contains a random nonce, so two tokens with the
   * same `key_id` differ.
   */
  seal: (keyId: string) => string
  /** Opens a token. Never throws, even if the token is malformed. */
  open: (token: string) => OpenedToken
}

/**
 * A secret's AES key. `additionalData` is the prefix, the version and the generation, which are authenticated together
 * with the `key_id`.
 */
interface SealingKey {
  generation: string
  additionalData: Buffer
  key: KeyObject
}

/**
 * Creates a sealer for `key_access_token`s. A token consists of `tck_`, 66 base62 digits, and a CRC-32 checksum of 6
 * base62 digits.
 *
 * The 66 digits encode 49 bytes: the version (1 byte), the generation (4), a nonce (12), the AES-256-GCM ciphertext of
 * the 16 raw bytes of the `key_id` (16), and the tag (16). The additional authenticated data consists of `tck_` and the
 * first 5 bytes. The AES key is derived from the unmodified secret with HKDF-SHA256 (RFC 5869), without a salt, and
 * with the info `trivial client key v1`.
 */
export const createTokenSealer = (secret: string, previousSecrets: readonly string[] = []): TokenSealer => {
  const current = sealingKey(secret)
  const all = [current, ...previousSecrets.map(sealingKey)]

  return {
    generation: current.generation,

    seal(keyId) {
      const nonce = randomBytes(CIPHERTEXT_START - NONCE_START)
      const cipher = createCipheriv(CIPHER, current.key, nonce).setAAD(current.additionalData)
      const ciphertext = Buffer.concat([cipher.update(Buffer.from(keyId, 'hex')), cipher.final()])
      const sealed = Buffer.concat([
        current.additionalData.subarray(PREFIX.length),
        nonce,
        ciphertext,
        cipher.getAuthTag()
      ])
      const body = PREFIX + encodeBase62(sealed, SEALED_DIGITS)
      return body + checksum(body)
    },

    open(token) {
      if (!hasShape(token)) return { ok: false, issue: 'malformed' }
      if (!hasChecksum(token)) return { ok: false, issue: 'bad_checksum' }
      const sealed = decodeBase62(token.slice(PREFIX.length, CHECKSUM_START), SEALED_BYTES)
      if (sealed === null) return { ok: false, issue: 'malformed' }
      if (sealed[0] !== VERSION) return { ok: false, issue: 'unknown_version' }

      const generation = sealed.toString('hex', GENERATION_START, NONCE_START)
      let issue: TokenIssue = 'unknown_generation'
      for (const candidate of all) {
        if (candidate.generation !== generation) continue
        const keyId = decrypt(candidate, sealed)
        if (keyId !== null) return { ok: true, keyId, generation }
        issue = 'forged'
      }
      return { ok: false, issue }
    }
  }
}

/** A key and the two secret values, which aren't stored anywhere. */
export interface Issued extends IssuedClientKey {
  readonly key: ClientKeyRecord
}

/** Creates a random `key_id` and a token for it. Stores nothing, so the result is the only copy. */
export const issueClientKey = (sealer: TokenSealer): IssuedClientKey => {
  const keyId = randomBytes(KEY_ID_BYTES).toString('hex')
  return { keyId, keyAccessToken: sealer.seal(keyId) }
}

/**
 * Returns the SHA-256 of a `key_id`, as 64 lowercase hexadecimal digits. The digest may be stored in allow-lists and
 * databases.
 */
export const digestOf = (keyId: string): string => hash('sha256', keyId)

/**
 * Returns the generation of a secret: the first 4 bytes of its SHA-256, as 8 hexadecimal digits. It identifies the
 * secret without revealing it.
 */
export const generationOf = (secret: string): string =>
  hash('sha256', secret).slice(0, 2 * (NONCE_START - GENERATION_START))

/**
 * Returns the generation in a well-formed token, or null if the token is malformed. The generation isn't verified,
 * because verification requires the secret.
 */
export const claimedGeneration = (token: string): string | null =>
  hasShape(token) && hasChecksum(token)
    ? (decodeBase62(token.slice(PREFIX.length, CHECKSUM_START), SEALED_BYTES)?.toString(
        'hex',
        GENERATION_START,
        NONCE_START
      ) ?? null)
    : null

const hasShape = (token: string): boolean => token.length === TOKEN_LENGTH && token.startsWith(PREFIX)

const hasChecksum = (token: string): boolean =>
  crc32(token.slice(0, CHECKSUM_START)) === readBase62(token.slice(CHECKSUM_START))

const sealingKey = (secret: string): SealingKey => {
  const generation = generationOf(secret)
  return {
    generation,
    additionalData: Buffer.concat([Buffer.from(PREFIX), Buffer.from([VERSION]), Buffer.from(generation, 'hex')]),
    key: createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', HKDF_INFO, 32)))
  }
}

const checksum = (text: string): string => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(text))
  return encodeBase62(bytes, CHECKSUM_DIGITS)
}

const decrypt = ({ key, additionalData }: SealingKey, sealed: Buffer): string | null => {
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(NONCE_START, CIPHERTEXT_START))
    .setAAD(additionalData)
    .setAuthTag(sealed.subarray(TAG_START))
  const keyId = decipher.update(sealed.subarray(CIPHERTEXT_START, TAG_START), undefined, 'hex')
  try {
    decipher.final()
    return keyId
  } catch {
    return null
  }
}
