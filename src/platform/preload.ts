/** Options by which code runs before the program: an agent (OpenTelemetry, an APM), a transpiler (tsx), a debugger's hook. */
const PRELOADS = /^(-r|--require|--import|--loader|--experimental-loader)(=|$)/;

/**
 * Whether something was loaded before this program. Such code wraps packages as they are required: Express and pino
 * must then come from `node_modules`, and log lines must go through pino.
 */
export function isPreloaded(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions: string = process.env['NODE_OPTIONS'] ?? '',
): boolean {
  return [...execArgv, ...nodeOptions.split(/\s+/)].some(option => PRELOADS.test(option));
}
