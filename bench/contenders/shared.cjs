'use strict';
/** What all contenders do alike: the answer, the headers, listening and leaving. */

/** Our worker's keep-alive timeout: it stands in every answer. */
const KEEP_ALIVE_MS = 65_000;

/** helmet's options for an API; what they send is what our worker sends. */
const HELMET = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  frameguard: { action: 'deny' },
};

/** The same headers for those who have no helmet, as a flat list. */
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
    leaveOnSignal(server);
  });
}

/** The usual graceful end. */
function leaveOnSignal(server) {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
    });
  }
}

module.exports = { HELMET, KEEP_ALIVE_MS, SECURITY_HEADERS, health, leaveOnSignal, serve };
