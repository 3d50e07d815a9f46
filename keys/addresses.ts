import { BlockList, isIP } from 'node:net'

interface Range { address: string, version: 4 | 6, prefix: number }

const BITS = { 4: 32, 6: 128 } as const
const FAMILY = { 4: 'ipv4', 6: 'ipv6' } as const
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const MAPPED_PREFIX = 0xffffn

/** What is wrong with an IP address or CIDR range (RFC 4632, RFC 4291), as the end of a sentence; null: nothing is. */
export const rangeFault = (range: string): string | null => {
  const parsed = parse(range)
  if (parsed === null) return 'is no IP address or CIDR range, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32'
  return parsed.version === 6 && toNumber(parsed.address, 6) >> 32n === MAPPED_PREFIX
    ? 'is an IPv4 range written as IPv6; write it as IPv4, such as 10.0.0.0/8'
    : null
}

/**
 * An address as a range would name it: IPv4 as IPv4, also where it arrived on an IPv6 socket, and IPv6 without the zone of a link.
 * What is no address, as a proxy may pass it on, is `unknown`, and so is that of a connection that was reset before it was asked for.
 */
export const plainAddress = (address: string | undefined): string => {
  if (address === undefined) return 'unknown'
  if (!address.includes(':')) return isIP(address) === 0 ? 'unknown' : address
  const [plain] = (MAPPED.exec(address)?.[1] ?? address).split('%', 1)
  return isIP(plain) === 0 ? 'unknown' : plain
}

/** What stands for an address where visitors are told apart: who has one IPv6 address has all of its /64. */
export const neighbourhood = (address: string): string => isIP(address) === 6 ? groups(address).slice(0, 4).join(':') : address

/** Tells whether an address lies in any of some ranges, of which each is well-formed. */
export const createRangeCheck = (ranges: readonly string[]): ((address: string) => boolean) => {
  // A list of both would find IPv4 addresses in IPv6 ranges such as ::/0.
  const lists = { 4: new BlockList(), 6: new BlockList() }
  for (const { address, version, prefix } of ranges.map(known)) lists[version].addSubnet(address, prefix, FAMILY[version])
  return address => {
    const plain = plainAddress(address)
    const version = isIP(plain)
    return (version === 4 || version === 6) && lists[version].check(plain, FAMILY[version])
  }
}

/** Whether a range lies within one of others. */
export const isWithin = (range: string, others: readonly string[]): boolean => {
  const { address, version, prefix } = known(range)
  return others.some(other => {
    const wide = known(other)
    return wide.version === version && wide.prefix <= prefix && createRangeCheck([other])(address)
  })
}

/** The fewest ranges that hold these addresses and no others. */
export const leastRanges = (addresses: readonly string[]): string[] =>
  [4, 6].flatMap(version => {
    const own = addresses.map(plainAddress).filter(address => isIP(address) === version)
    return join(version as 4 | 6, new Set(own.map(address => toNumber(address, version as 4 | 6))))
  })

const parse = (range: string): Range | null => {
  const [, address = '', bits] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(range) ?? []
  const version = isIP(address)
  if (version !== 4 && version !== 6) return null
  const prefix = Number(bits ?? BITS[version])
  return prefix > BITS[version] ? null : { address, version, prefix }
}

const known = (range: string): Range => {
  const parsed = parse(range)
  if (parsed === null) throw new RangeError('not an IP address or CIDR range')
  return parsed
}

// Two neighbours that differ in their last bit are one range of a bit less, and so on upwards.
const join = (version: 4 | 6, numbers: ReadonlySet<bigint>): string[] => {
  const joined: [value: bigint, prefix: number][] = []
  let level = [...numbers]
  for (let prefix: number = BITS[version]; level.length > 0; prefix--) {
    const there = new Set(level)
    const parents = new Set<bigint>()
    for (const value of there) {
      if (prefix > 0 && there.has(value ^ 1n)) parents.add(value >> 1n)
      else joined.push([value << BigInt(BITS[version] - prefix), prefix])
    }
    level = [...parents]
  }
  return joined.sort(([a], [b]) => a < b ? -1 : 1).map(([value, prefix]) => {
    const address = toAddress(value, version)
    return prefix === BITS[version] ? address : `${address}/${prefix}`
  })
}

const toNumber = (address: string, version: 4 | 6): bigint =>
  version === 4
    ? address.split('.').reduce((value, part) => value << 8n | BigInt(part), 0n)
    : groups(address).reduce((value, group) => value << 16n | BigInt(`0x${group}`), 0n)

// The URL parser writes an IPv6 address in its one canonical form (RFC 5952), without dotted decimals.
const canonical = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1)

const groups = (address: string): string[] => {
  const [head, tail] = canonical(address).split('::').map(part => part.split(':').filter(group => group !== ''))
  return tail === undefined ? head : [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail]
}

const toAddress = (value: bigint, version: 4 | 6): string => {
  const [count, size] = version === 4 ? [4, 8n] : [8, 16n]
  const parts = Array.from({ length: count }, (_, i) => value >> (size * BigInt(count - 1 - i)) & ((1n << size) - 1n))
  return version === 4 ? parts.join('.') : canonical(parts.map(part => part.toString(16)).join(':'))
}
