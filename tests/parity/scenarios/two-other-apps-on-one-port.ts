/** Two apps that call `listen` themselves start on one port. */
import { EXIT } from '../../../src/protocol/exit-codes.js';
import { better, scenario } from '../scenario.js';
import { bodyOf, lastLogMessage, pause, servesOrIsRefused } from '../steps.js';

export default scenario({
  section: 'Other apps',
  title: 'two apps do not share a port unnoticed',
  app: { instances: 1 },
  async run(service) {
    await service.startAndServe(1);
    const second = service.secondService({ env: { BUILD: 'second' } });
    await second.start();
    await servesOrIsRefused(second);
    const builds = new Set<string>();
    for (let request = 0; request < 20; request++) {
      builds.add(await bodyOf(service, '/build'));
      await pause(5);
    }
    if (builds.size > 1) return 'both start, answers come from both in turn';
    const text = second.supervisorLog().join('\n');
    const isNamed = lastLogMessage(text).includes(`is already in use by pid ${service.supervisorPid()} `);
    return second.exitCode() === EXIT.portTaken && isNamed
      ? 'the second one is refused and names the first one; the first one keeps serving'
      : `exit code ${second.exitCode()}: ${text}`;
  },
  expect: better({
    pm2: 'both start, answers come from both in turn',
    native: 'the second one is refused and names the first one; the first one keeps serving',
    reason: 'exit code 6 for any program, and the last line names the process that has the port',
  }),
});
