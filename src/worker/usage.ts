/** Tells what this process uses, where the supervisor cannot look it up by itself (`supervisor/usage.ts`). */
import type { FromWorker, ToWorker } from '../protocol/messages.js';

/** Answers every `usage.wanted`. */
export function tellUsageWhenAsked(): void {
  process.on('message', (message: ToWorker) => {
    if (typeof message !== 'object' || message?.type !== 'usage.wanted') return;
    const { user, system } = process.cpuUsage();
    const usage: FromWorker = {
      type: 'usage',
      rss: process.memoryUsage.rss(),
      cpuMs: (user + system) / 1_000,
    };
    process.send?.(usage, undefined, undefined, () => undefined);
  });
}
