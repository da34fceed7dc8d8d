/** The same with programs that are not ours, and call `listen` themselves. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { until } from '../../support/processes.js';
import { better, scenario } from '../scenario.js';
import { lastMessage, pause, read } from '../steps.js';

export default scenario({
  chapter: 'Apps that are not ours',
  promise: 'two services never share a port unnoticed',
  app: { instances: 1 },
  async play(service) {
    await service.started(1);
    const second = service.beside({ env: { BUILD: 'second' } });
    await second.start();
    await until(async () => {
      if (!second.alive()) return true;
      return (await second.workers()).some(({ state }) => state === 'serving');
    }, 'the second one serves or is refused');
    const answers = new Set<string>();
    for (let request = 0; request < 20; request++) {
      answers.add(await read(service, '/build'));
      await pause(5);
    }
    if (answers.size > 1) return 'both start, answers come from both in turn';
    const text = second.said().join('\n');
    const isNamed = lastMessage(text).includes(`is already in use by pid ${service.supervisor()} `);
    return second.exitCode() === EXIT.portTaken && isNamed
      ? 'the second one is refused, the first one is named and serves on'
      : `exit code ${second.exitCode()}: ${text}`;
  },
  expect: better({
    pm2: 'both start, answers come from both in turn',
    native: 'the second one is refused, the first one is named and serves on',
    how: 'exit code 6 for any program, and the last line says who has the port',
  }),
});
