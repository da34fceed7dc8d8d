/** Options by which code runs before the program: an agent (OpenTelemetry, an APM), a transpiler (tsx), a debugger's hook. */
const PRELOADS = /^(-r|--require|--import|--loader|--experimental-loader)(=|$)/;

/** What `src/index.ts` requires by itself. */
const ENTRY_REQUIRES = /[\\/](platform[\\/]preload\.[jt]s|worker[\\/]main\.[jt]s|worker\.bundle\.js)$/;

/** How this process was started. */
export interface StartedWith {
  readonly execArgv: readonly string[];
  readonly nodeOptions: string;
  /** The files that the entry file has required so far. */
  readonly required: readonly string[];
}

const ofThisProcess = (): StartedWith => ({
  execArgv: process.execArgv,
  nodeOptions: process.env['NODE_OPTIONS'] ?? '',
  required: (require.main?.children ?? []).map(({ filename }) => filename),
});

/**
 * Whether other code is loaded beside the worker: by an option of Node, or by an import that was added to the entry
 * file. Such code may wrap packages as they are required, or share modules with the worker: Express, pino and the
 * logger must then be those of the ordinary modules, and log lines must go through pino.
 */
export function isPreloaded({ execArgv, nodeOptions, required }: StartedWith = ofThisProcess()): boolean {
  return (
    [...execArgv, ...nodeOptions.split(/\s+/)].some(option => PRELOADS.test(option)) ||
    required.some(file => !ENTRY_REQUIRES.test(file))
  );
}
