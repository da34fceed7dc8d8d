import { within } from '../../src/platform/deadline.js';

const never = new Promise<string>(() => undefined);

test('what comes in time counts, and no timer is left', async () => {
  jest.useFakeTimers();
  try {
    const late = jest.fn();
    expect(await within(1_000, Promise.resolve('done'), late)).toBe('done');
    await expect(within(1_000, Promise.reject(new Error('failed')), late)).rejects.toThrow('failed');
    expect(jest.getTimerCount()).toBe(0);
    expect(late).not.toHaveBeenCalled();
  } finally {
    jest.useRealTimers();
  }
});

test('after the limit the alternative counts', async () => {
  expect(await within(1, never, () => 'late')).toBe('late');
  const fail = (): never => {
    throw new Error('too late');
  };
  await expect(within(1, never, fail)).rejects.toThrow('too late');
});
