/** What PM2 gets: a few figures, now and then. */
import { createLoopMemory } from '../../src/observability/loop-stats.js';
import { tellPm2 } from '../../src/observability/pm2-metrics.js';
import type { Pm2Metrics } from '../../src/protocol/messages.js';

function setUp(p99Seconds: number | null) {
  const sent: Pm2Metrics[] = [];
  let now = 0;
  const turned = tellPm2({
    recent: {
      sample: () => undefined,
      figures: () => ({
        requestsPerSecond: 12.34,
        p50Seconds: null,
        p99Seconds,
        loopUtilization: 0.5,
        cpuPercent: 1,
      }),
    },
    inFlight: () => 3,
    loop: createLoopMemory(),
    send: message => sent.push(message),
    now: () => now,
  });
  return { sent, turned, pass: (ms: number) => (now += ms) };
}

test('figures by the names that PM2 shows, with their units', () => {
  const { sent, turned } = setUp(0.0057);
  turned();
  expect(sent).toEqual([
    {
      type: 'axm:monitor',
      data: {
        Requests: { value: '12.3', unit: 'req/s' },
        'HTTP P99 Latency': { value: '5.7', unit: 'ms' },
        'Requests in Flight': { value: '3', unit: '' },
        'Event Loop Utilization': { value: '50', unit: '%' },
        'Used Heap Size': { value: '0', unit: 'MiB' },
      },
    },
  ]);
});

test('without requests the last p99 is taken back', () => {
  const { sent, turned } = setUp(null);
  turned();
  expect(sent[0]?.data['HTTP P99 Latency']).toEqual({ value: '-', unit: 'ms' });
});

test('at once, and then every five seconds at most', () => {
  const { sent, turned, pass } = setUp(null);
  for (let turn = 0; turn < 40; turn++, pass(250)) turned();
  expect(sent).toHaveLength(2);
});
