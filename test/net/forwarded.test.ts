import { test } from 'tap'
import { createRangeCheck } from '../../net/addresses.ts'
import { trustedPart } from '../../net/forwarded.ts'

test('only the part of X-Forwarded-For that trusted proxies added is used', async t => {
  const isTrusted = createRangeCheck(['10.0.0.0/8', '2001:db8:1::/48'])
  for (const [header, believed] of [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51234', '203.0.113.7'],
    ['[2001:db8::5]:443', '2001:db8::5'],
    ['6.6.6.6, 203.0.113.7:51234, 10.0.0.2:80', '203.0.113.7, 10.0.0.2'],
    ['203.0.113.7,[2001:DB8:1::2]:80,"10.0.0.2"', '203.0.113.7, 2001:db8:1::2, 10.0.0.2'],
    ['203.0.113.7, ::ffff:10.0.0.2', '203.0.113.7, 10.0.0.2'],
    ['\t203.0.113.7 \t,  10.0.0.2\t', '203.0.113.7, 10.0.0.2'],
    [',, 203.0.113.7,, ,10.0.0.2,', '203.0.113.7, 10.0.0.2'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3, 10.0.0.2'],
    ['203.0.113.7, unknown', 'unknown'],
    ['203.0.113.7, _hidden, 10.0.0.2', 'unknown, 10.0.0.2'],
    ['203.0.113.7, for=10.0.0.2', 'unknown'],
    ['203.0.113.7, 010.0.0.2', 'unknown'],
    ['203.0.113.7, 167772162', 'unknown'],
    ['203.0.113.7 10.0.0.2', 'unknown'],
    [' , ,', ''],
    ['', '']
  ] as const) {
    t.equal(trustedPart(header, isTrusted), believed, header)
  }
})
