/** The stream of events, opened again for as long as the page is open. */

/** A worker that held the port has a successor within a second. */
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 5_000;

/** A stream that says nothing for so long is dead: there is a moment every second. */
const SILENCE_MS = 6_000;

const EVENTS = /** @type {const} */ (['history', 'moment', 'lifecycle', 'log']);

/**
 * `EventSource` gives up after an answer that is not 200, and cannot see a silent end; so it is made anew.
 * @param {string} address
 * @param {{ message: (name: typeof EVENTS[number], data: unknown) => void, connected: () => void, lost: () => void }} listener
 */
export function connect(address, { message, connected, lost }) {
  let waitMs = FIRST_WAIT_MS;

  function open() {
    const source = new EventSource(address);
    let timer = setTimeout(end, SILENCE_MS);

    function end() {
      clearTimeout(timer);
      source.close();
      lost();
      setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }

    source.addEventListener('error', end, { once: true });
    for (const name of EVENTS)
      source.addEventListener(name, event => {
        clearTimeout(timer);
        timer = setTimeout(end, SILENCE_MS);
        waitMs = FIRST_WAIT_MS;
        connected();
        message(name, JSON.parse(event.data));
      });
  }

  open();
}
