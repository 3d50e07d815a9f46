import { test } from 'tap'
import { createRangeCheck, isWithin, leastRanges, plainAddress, rangeIssue } from '../../net/addresses.ts'

test('IPv4 and IPv6 addresses and ranges are accepted, and nothing else', async t => {
  for (const good of [
    '192.0.2.7',
    '10.0.0.0/8',
    '0.0.0.0/0',
    '10.0.0.5/32',
    '::1',
    '2001:db8::/32',
    '::/0',
    '2001:DB8::1/128'
  ]) {
    t.equal(rangeIssue(good), null, good)
  }
  for (const bad of [
    '',
    'x',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    'fe80::1%eth0',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '010.0.0.1',
    '1e1.0.0.0',
    'localhost'
  ]) {
    t.match(rangeIssue(bad), 'is not an IP address', bad)
  }
  for (const mapped of ['::ffff:10.0.0.0/104', '0::ffff:10.0.0.0/104', '0:0:0:0:0:FFFF::/96', '::ffff:a00:1']) {
    t.match(rangeIssue(mapped), 'write it as IPv4', mapped)
  }
})

test('the error about a range with host bits suggests the intended range', async t => {
  for (const [range, network, address] of [
    ['10.0.0.1/8', '10.0.0.0/8', '10.0.0.1'],
    ['192.168.77.255/23', '192.168.76.0/23', '192.168.77.255'],
    ['1.2.3.4/0', '0.0.0.0/0', '1.2.3.4'],
    ['2001:DB8:0::7/33', '2001:db8::/33', '2001:db8::7'],
    ['::1/0', '::/0', '::1']
  ] as const) {
    t.equal(rangeIssue(range), `has host bits: write ${network} for the range, or ${address} for the single address`)
  }
})

test('a range contains addresses of its version, in any notation', async t => {
  const isIn = createRangeCheck(['10.0.0.5/8', '2001:db8::/32', '192.0.2.7'])
  for (const inside of [
    '10.255.255.255',
    '10.0.0.0',
    '192.0.2.7',
    '::ffff:10.1.2.3',
    '::FFFF:192.0.2.7',
    '0:0:0:0:0:ffff:a01:203',
    '::ffff:10.1.2.3%eth0',
    '2001:db8:ffff::1',
    '2001:DB8:0::1%eth0.7'
  ]) {
    t.ok(isIn(inside), inside)
  }
  for (const outside of [
    '11.0.0.0',
    '9.255.255.255',
    '192.0.2.8',
    '2001:db9::',
    '::1',
    '::10.0.0.1',
    '::a00:1',
    '010.0.0.1',
    '10.1',
    '0x0a000001',
    '',
    'unknown',
    '[10.0.0.1',
    '10.0.0.1]:80',
    '"10.0.0.1',
    '10.0.0.1:',
    '10.0.0.1:port',
    '10.0.0.1:123456',
    '10.0.0.1:80:80',
    '[10.0.0.1:80]',
    '[2001:db8::1]]',
    '[2001:db8::1]:_a b',
    '2001:db8::1]:80',
    '[]',
    '_hidden'
  ]) {
    t.notOk(isIn(outside), outside)
  }
  t.notOk(createRangeCheck([])('10.0.0.1'))
  t.ok(createRangeCheck(['0.0.0.0/0'])('255.255.255.255'))
  t.notOk(createRangeCheck(['0.0.0.0/0'])('::1'))
  t.notOk(createRangeCheck(['::/0'])('1.2.3.4'), 'IPv6 ranges contain no IPv4 addresses')
  t.notOk(createRangeCheck(['::/0'])('::ffff:1.2.3.4'))
  t.equal(plainAddress('::ffff:127.0.0.1'), '127.0.0.1')
  t.equal(plainAddress('fe80::1%eth0'), 'fe80::1')
  t.equal(plainAddress('::ffff:7f00:1'), '127.0.0.1')
  t.equal(plainAddress('2001:DB8:0:0::1'), '2001:db8::1')
  for (const none of ['', 'x', 'tck_x', '1.2.3', 'a:b', '::ffff:1.2.3.400', undefined]) {
    t.equal(plainAddress(none), 'unknown', String(none))
  }
  t.equal(plainAddress('::1'), '::1')
})

test('an address can be read in every notation that proxies use', async t => {
  for (const [text, address] of [
    ['203.0.113.7:51234', '203.0.113.7'],
    ['203.0.113.7:_port-1.a', '203.0.113.7'],
    ['"203.0.113.7:51234"', '203.0.113.7'],
    ['"203.0.113.7"', '203.0.113.7'],
    ['[203.0.113.7]:443', '203.0.113.7'],
    ['[2001:DB8::5]', '2001:db8::5'],
    ['[2001:db8::5]:443', '2001:db8::5'],
    ['"[2001:db8::5]:443"', '2001:db8::5'],
    ['"2001:db8::5"', '2001:db8::5'],
    ['2001:db8::5:443', '2001:db8::5:443'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    ['[fe80::1%eth0]:443', 'fe80::1'],
    ['[fe80::1%25eth0]', 'fe80::1']
  ] as const) {
    t.equal(plainAddress(text), address, text)
  }
})

test('a range is within another range of the same version that is at least as large', async t => {
  t.ok(isWithin('10.1.0.0/16', ['192.0.2.0/24', '10.0.0.0/8']))
  t.ok(isWithin('10.0.0.0/8', ['10.9.9.9/8']))
  t.ok(isWithin('10.0.0.1', ['10.0.0.1/32']))
  t.ok(isWithin('2001:db8::1', ['::/0']))
  for (const [range, others] of [
    ['10.0.0.0/7', ['10.0.0.0/8']],
    ['11.0.0.0/16', ['10.0.0.0/8']],
    ['10.0.0.0/8', ['::/0']],
    ['::/0', ['0.0.0.0/0']],
    ['10.0.0.1', []],
    ['10.0.0.0/8', ['10.0.0.0/9', '10.128.0.0/9']]
  ] as [string, string[]][]) {
    t.notOk(isWithin(range, others), `${range} in ${others.join()}`)
  }
  t.throws(() => isWithin('x', ['::/0']), RangeError)
})

test('the smallest ranges contain exactly the addresses that they are computed from', async t => {
  t.same(leastRanges([]), [])
  t.same(leastRanges(['10.0.0.5', '::ffff:10.0.0.5', '10.0.0.4']), ['10.0.0.4/31'])
  t.same(leastRanges(['10.0.0.2', '10.0.0.1', '10.0.0.3', '2001:db8::1', '2001:DB8:0::0', '::1']), [
    '10.0.0.1',
    '10.0.0.2/31',
    '::1',
    '2001:db8::/127'
  ])
  t.same(leastRanges(Array.from({ length: 256 }, (_, i) => `192.0.2.${i}`)), ['192.0.2.0/24'])
  t.same(leastRanges(['not an address', 'unknown']), [])
  t.same(leastRanges(['9.0.0.1', '10.0.0.1', '8.0.0.1']), ['8.0.0.1', '9.0.0.1', '10.0.0.1'])
  t.same(leastRanges(['fe80::1%eth0']), ['fe80::1'])
  t.same(leastRanges(['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:7']), ['2001:db8:1:2:3:4:5:6/127'])
  const seen = Array.from({ length: 60 }, () => `10.0.0.${Math.floor(Math.random() * 256)}`)
  const isIn = createRangeCheck(leastRanges(seen))
  for (let i = 0; i < 256; i++) t.equal(isIn(`10.0.0.${i}`), seen.includes(`10.0.0.${i}`))
})
