/** The app file names no `cwd`; the command is given in another folder. */
import { better, scenario } from '../scenario.js';
import { read } from '../steps.js';

export default scenario({
  chapter: 'Environment',
  promise: 'an app file without `cwd` works from everywhere',
  app: { instances: 1, cwd: undefined },
  async play(service) {
    const { ok, text } = await service.start({ from: '/' });
    if (!ok) return /Script not found/.test(text) ? 'does not find the script' : 'is refused';
    await service.answers();
    return (await read(service, '/cwd')) === service.folder ? "runs in the file's folder" : 'runs elsewhere';
  },
  expect: better({
    pm2: 'does not find the script',
    native: "runs in the file's folder",
    how: 'paths are relative to the file that says them',
  }),
});
