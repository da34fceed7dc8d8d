/** The command of PM2 for an action on a service that PM2 runs: `pm2 scale cabe-arena-api 3`. */
export const pm2Command = (action: string, app: string, instances?: unknown): string =>
  ['pm2', action, app, ...(action === 'scale' ? [String(instances)] : [])].join(' ');
