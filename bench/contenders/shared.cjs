'use strict';
/** What all contenders share: answer, headers, listening and stopping. */

/** Our worker's keep-alive timeout, which is part of every answer. */
const KEEP_ALIVE_MS = 65_000;

/** Options for which helmet sends the headers of our worker. */
const HELMET = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  frameguard: { action: 'deny' },
};

/** The same headers for contenders without helmet, as a flat list. */
const SECURITY_HEADERS = Object.entries({
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'DENY',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
}).flat();

const health = () => ({
  status: 'ok',
  timestamp: new Date().toISOString(),
  uptime: process.uptime(),
  worker: process.pid,
});

function serve(server) {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(Number(process.env.PORT), process.env.HOST, () => {
    process.send?.('ready');
    stopOnSignal(server);
  });
}

/** The usual graceful stop. */
function stopOnSignal(server) {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
    });
  }
}

module.exports = { HELMET, KEEP_ALIVE_MS, SECURITY_HEADERS, health, stopOnSignal, serve };
