/** Which of two listening addresses a connection can be meant for: what `/proc/net/tcp` prints of them is compared. */
import { overlap } from '../../../src/supervisor/processes/port-guard.js';

const ANY_IPV4 = '00000000';
const ANY = ANY_IPV4.repeat(4);
const LOOPBACK = '0100007F';
const OTHER_IPV4 = '0200007F';
const MAPPED_LOOPBACK = `0000000000000000FFFF0000${LOOPBACK}`;
const LOOPBACK_IPV6 = '00000000000000000000000001000000';

test.each([
  [ANY, ANY],
  [ANY, ANY_IPV4],
  [ANY, LOOPBACK],
  [ANY, LOOPBACK_IPV6],
  [ANY_IPV4, ANY_IPV4],
  [ANY_IPV4, LOOPBACK],
  [ANY_IPV4, MAPPED_LOOPBACK],
  [LOOPBACK, LOOPBACK],
  [LOOPBACK, MAPPED_LOOPBACK],
  [LOOPBACK_IPV6, LOOPBACK_IPV6],
])('%s and %s share a port', (one, other) => {
  expect([overlap(one, other), overlap(other, one)]).toEqual([true, true]);
});

test.each([
  [ANY_IPV4, LOOPBACK_IPV6],
  [LOOPBACK, OTHER_IPV4],
  [LOOPBACK, LOOPBACK_IPV6],
  [MAPPED_LOOPBACK, OTHER_IPV4],
])('%s and %s do not', (one, other) => {
  expect([overlap(one, other), overlap(other, one)]).toEqual([false, false]);
});
