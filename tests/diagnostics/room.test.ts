import { whyNoRoom } from '../../src/diagnostics/room.js';

const MB = 1_000_000;
const room = { rss: 100 * MB, availableMemory: 100 * MB, freeDisk: 200 * MB };
const heap = { kind: 'heap', seconds: 10 } as const;

test('a heap snapshot needs as much memory again as the worker has, and twice that on disk', () => {
  expect(whyNoRoom(heap, room)).toBeUndefined();
  expect(whyNoRoom(heap, { ...room, availableMemory: 99 * MB })).toBe(
    'too little memory: it may take 100 MB, and 99 MB are available',
  );
  expect(whyNoRoom(heap, { ...room, freeDisk: 199 * MB })).toBe(
    'too little disk space: it may take 200 MB, and 199 MB are free',
  );
});

test('a CPU profile needs more the longer it takes; a report needs little', () => {
  const little = { ...room, availableMemory: 20 * MB, freeDisk: 20 * MB };
  expect(whyNoRoom({ kind: 'report', seconds: 10 }, little)).toBeUndefined();
  expect(whyNoRoom({ kind: 'cpu', seconds: 4 }, little)).toBeUndefined();
  expect(whyNoRoom({ kind: 'cpu', seconds: 5 }, little)).toMatch(/too little memory: it may take 21 MB/);
});
