/** The app file sets no `cwd`; the command is given in another folder. */
import { better, scenario } from '../scenario.js';
import { bodyOf } from '../steps.js';

export default scenario({
  section: 'Environment',
  title: 'an app file without `cwd` works from every folder',
  app: { instances: 1, cwd: undefined },
  async run(service) {
    const { ok, text } = await service.start({ from: '/' });
    if (!ok) return /Script not found/.test(text) ? 'does not find the script' : 'is refused';
    await service.untilAnswering();
    return (await bodyOf(service, '/cwd')) === service.folder
      ? "runs in the app file's folder"
      : 'runs elsewhere';
  },
  expect: better({
    pm2: 'does not find the script',
    native: "runs in the app file's folder",
    reason: 'paths are relative to the app file',
  }),
});
