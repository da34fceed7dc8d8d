import { MAX_WORKERS } from '../protocol/limits.js';

/** What `--help` prints: the whole command line on one screen. */
export const HELP = `Usage: cabe-arena-api [command] [options]        (node dist/cluster.js …)
Runs the app that ecosystem.config.js describes, on every core but one.

Commands (all but start wait for the outcome)
  start            run the service in the foreground (the default)
  status           state of the service and of each worker       [--json]
  monit            the same live, on the whole terminal; keys for actions
  reload           replace the workers one by one, losing nothing
  upgrade          replace the supervisor, too, for example for a new Node
  scale N          run N workers, 1 to ${MAX_WORKERS}
  stop             drain every worker, then end the service
  diagnose WHAT    cpu, heap or report of a worker   [--slot N] [--seconds S]
  check            look at app file and environment, start nothing   [--json]

Options
  --config FILE    the app file                    (./ecosystem.config.js)
  --only NAME      which of several apps in it
  --env NAME       take env_NAME on top of env     (development, …)
  --watch          start: reload when the program changes
  -h, --help       this text                     (-v, --version: the version)

Exit codes: 0 done, 1 failed or not found, 2 usage, 3 never ready, 4 gave up,
5 configuration, 6 port taken. Status: 0 ready, 1 no answer, 3 degraded, 4 down.
`;
