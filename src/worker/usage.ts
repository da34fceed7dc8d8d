import type { Channel } from './channel.js';

/** Reports what this process uses, where the supervisor cannot look it up (`platform/process-usage.ts`). */
export function reportUsageOnRequest(channel: Channel): void {
  channel.on('cabe:usage.wanted', () => {
    const { user, system } = process.cpuUsage();
    channel.send({ type: 'cabe:usage', rss: process.memoryUsage.rss(), cpuMs: (user + system) / 1_000 });
  });
}
