/** The image and the stack, run by a real container engine (`yarn test:ship`). */
import { rmSync } from 'node:fs';
import { build, makeBase, makeContext, startEngine, type PrivateEngine } from './engine.js';
import { imageTests } from './image.js';
import { swarmTests } from './swarm.js';

jest.setTimeout(900_000);

let started: PrivateEngine | undefined;
const context = makeContext();

/** @throws Error if `beforeAll` has failed */
function engine(): PrivateEngine {
  if (started === undefined) throw new Error('no container engine runs');
  return started;
}

beforeAll(async () => {
  started = await startEngine();
  makeBase(started);
  await build(started, context, 'native');
});
afterAll(async () => {
  await started?.stop();
  rmSync(context, { recursive: true, force: true });
});

describe('the stack for Swarm', () => {
  swarmTests(engine);
});
describe('the image', () => {
  imageTests(engine, context);
});
