const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const NOT_A_DIGIT = 255

const digitOf = new Uint8Array(128).fill(NOT_A_DIGIT)
for (let digit = 0; digit < 62; digit++) digitOf[ALPHABET.charCodeAt(digit)] = digit

// Numbers are stored as 24-bit limbs, least significant limb first. The product of a limb and 62⁴ is exact in a double,
// so four digits can be processed at a time. BigInt would be three times slower for numbers of this size.
const LIMB = 2 ** 24
const DIGITS_AT_A_TIME = 4

/**
 * Encodes bytes as an unsigned big-endian number with exactly `digits` base62 digits (`0-9A-Za-z`), padded with zeros.
 * Throws a RangeError if the number is too large.
 */
export const encodeBase62 = (bytes: Uint8Array, digits: number): string => {
  const limbs = toLimbs(bytes)
  let text = ''
  for (let i = 0; i < digits; i++) {
    let remainder = 0
    for (let j = limbs.length - 1; j >= 0; j--) {
      const value = remainder * LIMB + Number(limbs[j])
      limbs[j] = Math.floor(value / 62)
      remainder = value % 62
    }
    text = ALPHABET.charAt(remainder) + text
  }
  if (limbs.some(limb => limb !== 0)) throw new RangeError(`the number has more than ${digits} base62 digits`)
  return text
}

/**
 * Decodes base62 digits to an unsigned big-endian number of exactly `byteLength` bytes. Returns null if a character
 * isn't a digit or the number is too large. Thus, with a given number of digits, each number has only one
 * representation.
 */
export const decodeBase62 = (text: string, byteLength: number): Buffer | null => {
  const limbs = new Float64Array(Math.ceil(byteLength / 3))
  for (let i = 0; i < text.length;) {
    let chunk = 0
    let scale = 1
    for (const end = Math.min(i + DIGITS_AT_A_TIME, text.length); i < end; i++) {
      const digit = digitOf[text.charCodeAt(i)] ?? NOT_A_DIGIT
      if (digit === NOT_A_DIGIT) return null
      chunk = chunk * 62 + digit
      scale *= 62
    }
    let carry = chunk
    for (let j = 0; j < limbs.length; j++) {
      const value = Number(limbs[j]) * scale + carry
      carry = Math.floor(value / LIMB)
      limbs[j] = value - carry * LIMB
    }
    if (carry !== 0) return null
  }
  return toBytes(limbs, byteLength)
}

/** Decodes at most 8 base62 digits to a number. Returns NaN if a character isn't a digit. */
export const readBase62 = (text: string): number => {
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = digitOf[text.charCodeAt(i)] ?? NOT_A_DIGIT
    if (digit === NOT_A_DIGIT) return NaN
    value = value * 62 + digit
  }
  return value
}

const toLimbs = (bytes: Uint8Array): Float64Array => {
  const limbs = new Float64Array(Math.ceil(bytes.length / 3))
  for (const [i, byte] of bytes.entries()) {
    const fromEnd = bytes.length - 1 - i
    const limb = Math.floor(fromEnd / 3)
    limbs[limb] = Number(limbs[limb]) + byte * 256 ** (fromEnd % 3)
  }
  return limbs
}

const toBytes = (limbs: Float64Array, byteLength: number): Buffer | null => {
  const bytes = Buffer.alloc(byteLength)
  for (let i = 0; i < limbs.length * 3; i++) {
    const byte = (Number(limbs[Math.floor(i / 3)]) >>> (8 * (i % 3))) & 255
    if (i < byteLength) bytes[byteLength - 1 - i] = byte
    else if (byte !== 0) return null
  }
  return bytes
}
