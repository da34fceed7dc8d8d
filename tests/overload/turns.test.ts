import { createTurns } from '../../src/overload/turns.js';

function burn(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

test('tasks run in order, and what has arrived is read between slices of them', async () => {
  const turns = createTurns();
  const seen: string[] = [];
  const done = new Promise<void>(resolve => {
    for (let task = 0; task < 4; task++)
      turns.run(() => {
        if (task === 0) setTimeout(() => seen.push('arrival'), 1);
        burn(15);
        seen.push(String(task));
        if (task === 3) resolve();
      });
  });
  await done;
  expect(seen.filter(name => name !== 'arrival')).toEqual(['0', '1', '2', '3']);
  expect(seen.indexOf('arrival')).toBeGreaterThan(0);
  expect(seen.indexOf('arrival')).toBeLessThan(4);
});

test('quick tasks share a turn', async () => {
  const turns = createTurns();
  let loops = 0;
  let isOver = false;
  const count = (): void => {
    loops++;
    if (!isOver) setImmediate(count);
  };
  await new Promise<void>(resolve => {
    for (let task = 0; task < 100; task++) turns.run(() => task === 99 && resolve());
    setImmediate(count);
  });
  isOver = true;
  expect(loops).toBeLessThan(20);
});

test('a flood of arrivals keeps no task from running', async () => {
  const turns = createTurns();
  let isOver = false;
  const flood = (): void => {
    turns.noteArrival();
    burn(1);
    if (!isOver) setImmediate(flood);
  };
  flood();
  const ran: number[] = [];
  for (const task of [1, 2, 3])
    await new Promise<void>(resolve => {
      turns.run(() => {
        ran.push(task);
        resolve();
      });
    });
  isOver = true;
  expect(ran).toEqual([1, 2, 3]);
});
