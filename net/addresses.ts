import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { LruMap } from 'toad-cache'
import { hostIn } from './host.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6

interface Range {
  readonly address: Address
  /** The number of leading bits that all addresses in the range share with `address`. */
  readonly prefix: number
}

interface Peer {
  readonly text: string
  readonly address: Address | null
}

const MAPPED = ipaddr.IPv6.parse('::ffff:0:0')
const MAPPED_PREFIX = 96

/** The result of `plainAddress` if its argument isn't an address. */
export const UNKNOWN_ADDRESS = 'unknown'

const UNKNOWN: Peer = { text: UNKNOWN_ADDRESS, address: null }

/**
 * The maximum number of parsed addresses in the cache. Parsing takes longer than anything else that is done with an
 * address.
 */
const MAX_REMEMBERED = 1000

/**
 * Returns what is wrong with an IP address or CIDR range (RFC 4632, RFC 4291), or null if it's well-formed. The string
 * completes a sentence.
 */
export const rangeIssue = (text: string): string | null => {
  const range = parse(text)
  if (range === null) return 'is not an IP address or CIDR range, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32'
  const { address, prefix } = range
  if (isMapped(address)) return 'is an IPv4 range written as IPv6; write it as IPv4, such as 10.0.0.0/8'
  const network = networkOf(range).toString()
  return network === address.toString()
    ? null
    : `has host bits: write ${network}/${prefix} for the range, or ${address.toString()} for the single address`
}

/**
 * Converts an address to the format that ranges use. An IPv4 address on an IPv6 socket is converted to IPv4, and any
 * other IPv6 address to its canonical form (RFC 5952). The zone, port, brackets and quotes are removed. Returns
 * `unknown` for any other string, and for undefined, which is the address of a connection that has already been reset.
 */
export const plainAddress = (address: string | undefined): string => peer(address ?? '').text

/**
 * Returns the IP prefix that identifies a host: a whole IPv4 address, or the /64 of an IPv6 address, because one host
 * can use all of it.
 */
export const ipPrefix = (address: string): string => {
  const read = readAddress(address)
  return read instanceof ipaddr.IPv6
    ? read.parts
        .slice(0, 4)
        .map(part => part.toString(16))
        .join(':')
    : address
}

/** Creates a function that returns whether an address is in any of the ranges, which must be well-formed. */
export const createRangeCheck = (ranges: readonly string[]): ((address: string) => boolean) => {
  const parsed = ranges.map(known)
  return text => {
    const { address } = peer(text)
    return address !== null && parsed.some(range => holds(range, address))
  }
}

/** Returns whether a range is within one of the other ranges. */
export const isWithin = (range: string, others: readonly string[]): boolean => {
  const { address, prefix } = known(range)
  return others.map(known).some(other => other.prefix <= prefix && holds(other, address))
}

/** Returns the smallest set of ranges that contains exactly these addresses. */
export const leastRanges = (texts: readonly string[]): string[] => {
  const addresses = texts.map(text => peer(text).address).filter(address => address !== null)
  return [4, 16].flatMap(bytes =>
    join(
      bytes,
      addresses.filter(address => address.toByteArray().length === bytes)
    )
  )
}

// ipaddr.js alone would parse 010.0.0.1 as 8.0.0.1, 10.1 as 10.0.0.1, and ::10.0.0.1 as ::ffff:10.0.0.1.
const readAddress = (text: string): Address | null =>
  isIP(text) === 0 ? null : ipaddr.parse(text.replace(/^::(?=[\d.]+$)/, '0::'))

const isMapped = (address: Address): address is ipaddr.IPv6 =>
  address instanceof ipaddr.IPv6 && address.match(MAPPED, MAPPED_PREFIX)

const peers = new LruMap<Peer>(MAX_REMEMBERED)

const peer = (text: string): Peer => peers.get(text) ?? readPeer(hostIn(text))

// Invalid addresses and zones aren't cached, because they can be of any length. Ports aren't cached either: each
// connection has a different one, so a single client could evict all other entries.
const readPeer = (host: string): Peer => {
  const remembered = peers.get(host)
  if (remembered !== undefined) return remembered
  const zone = host.indexOf('%')
  const read = readAddress(zone < 0 ? host : host.slice(0, zone))
  if (read === null) return UNKNOWN
  const address = isMapped(read) ? read.toIPv4Address() : read
  const found = { text: address.toString(), address }
  if (zone < 0) peers.set(host, found)
  return found
}

const parse = (range: string): Range | null => {
  const [, text = '', bits] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(range) ?? []
  const address = readAddress(text)
  if (address === null) return null
  const most = address.toByteArray().length * 8
  const prefix = Number(bits ?? most)
  return prefix > most ? null : { address, prefix }
}

const known = (range: string): Range => {
  const parsed = parse(range)
  if (parsed === null) throw new RangeError('not an IP address or CIDR range')
  return parsed
}

// An IPv4 address is never in an IPv6 range such as ::/0, and vice versa.
const holds = (range: Range, address: Address): boolean =>
  range.address.kind() === address.kind() && address.match(range.address, range.prefix)

const networkOf = ({ address, prefix }: Range): Address => {
  const text = `${address.toString()}/${prefix}`
  return address.kind() === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text)
}

// Two ranges that differ only in the last bit of their prefix are joined into one with a prefix that is one bit
// shorter, and so on.
const join = (bytes: number, addresses: readonly Address[]): string[] => {
  const joined: [value: bigint, prefix: number][] = []
  const bits = bytes * 8
  let level = new Set(addresses.map(toNumber))
  for (let prefix = bits; level.size > 0; prefix--) {
    const parents = new Set<bigint>()
    for (const value of level) {
      if (prefix > 0 && level.has(value ^ 1n)) parents.add(value >> 1n)
      else joined.push([value << BigInt(bits - prefix), prefix])
    }
    level = parents
  }
  return joined
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([value, prefix]) => (prefix === bits ? toText(value, bytes) : `${toText(value, bytes)}/${prefix}`))
}

const toNumber = (address: Address): bigint => BigInt(`0x${Buffer.from(address.toByteArray()).toString('hex')}`)

const toText = (value: bigint, bytes: number): string =>
  ipaddr.fromByteArray([...Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex')]).toString()
