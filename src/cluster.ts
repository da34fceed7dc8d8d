#!/usr/bin/env node
/**
 * The native supervisor and its commands: `node dist/cluster.js`. The build bundles them into one file, which Node's
 * compile cache then holds (decision 0006). Without a bundle (the sources), the modules are loaded one by one.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';

const BUNDLE = join(__dirname, 'cluster.bundle.js');
const isBundled = existsSync(BUNDLE);

// Node 22.8 and later keep V8's code cache; the build fills it. Elsewhere nothing is cached.
const { enableCompileCache } = module as { enableCompileCache?: (directory: string) => unknown };
if (isBundled) enableCompileCache?.(join(__dirname, '.compile-cache'));

const { main } = require(isBundled ? BUNDLE : './commands/main.js') as typeof import('./commands/main.js');
void main();
