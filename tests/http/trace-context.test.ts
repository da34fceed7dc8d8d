import { parseTraceparent } from '../../src/http/trace-context.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const ids = { traceId: TRACE, spanId: SPAN };

test.each([
  ['sampled', `00-${TRACE}-${SPAN}-01`],
  ['not sampled', `00-${TRACE}-${SPAN}-00`],
  ['with the flag for a random trace id (level 2)', `00-${TRACE}-${SPAN}-03`],
  ['of a version to come', `cc-${TRACE}-${SPAN}-01`],
  ['of a version to come, with more fields', `cc-${TRACE}-${SPAN}-01-what-the-future-brings`],
])('a valid traceparent: %s', (_name, header) => {
  expect(parseTraceparent(header)).toEqual(ids);
});

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
  ['a version that is no number', `0x-${TRACE}-${SPAN}-01`],
  ['an all-zero trace id', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['an all-zero span id', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a short trace id', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['a long span id', `00-${TRACE}-${SPAN}0-01`],
  ['no flags', `00-${TRACE}-${SPAN}`],
  ['flags that are no number', `00-${TRACE}-${SPAN}-0x`],
  ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
  ['more flags than a version to come may have', `cc-${TRACE}-${SPAN}-01.more`],
  ['two headers, which Node joins', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
  ['what would break a line of the log', `00-${TRACE}-${SPAN}-01"\n`],
])('%s counts as absent', (_name, header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});
