import { parseRequest } from '../../src/diagnostics/request.js';

test('a request is checked, and a profile has a duration without one', () => {
  expect(parseRequest({ kind: 'cpu', seconds: 300 })).toEqual({ kind: 'cpu', seconds: 300 });
  expect(parseRequest({ kind: 'heap' })).toEqual({ kind: 'heap', seconds: 10 });
});

test.each([
  [null, 'kind must be one of cpu, heap, report'],
  [{ kind: 'memory' }, 'kind must be one of cpu, heap, report'],
  [{ kind: 'cpu', seconds: 0 }, 'seconds must be a whole number from 1 to 300'],
  [{ kind: 'cpu', seconds: 1.5 }, 'seconds must be a whole number from 1 to 300'],
  [{ kind: 'cpu', seconds: '10' }, 'seconds must be a whole number from 1 to 300'],
])('%j is refused', (value, sentence) => {
  expect(parseRequest(value)).toBe(sentence);
});
