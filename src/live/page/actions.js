/** Orders to the service. The token stays in its field, and goes nowhere but into the header of an order. */
import { byId, element, reconcile, setText } from './dom.js';
import { download } from './saved.js';

/** @typedef {import('../messages.js').Moment} Moment */

/** @param {string} path @param {object} body @returns {Promise<Response>} */
const order = (path, body) =>
  fetch(path, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${byId('token', HTMLInputElement).value}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
    credentials: 'omit',
    cache: 'no-store',
  });

/** @param {Response} response */
async function reasonOf(response) {
  const text = await response.text();
  try {
    const { reason, detail } = JSON.parse(text);
    return String(reason ?? detail ?? text);
  } catch {
    return text.trim() === '' ? `the answer is ${response.status}` : text.trim();
  }
}

/** @returns what the page calls with each moment */
export function createActions() {
  const token = byId('token', HTMLInputElement);
  const controls = byId('controls', HTMLFieldSetElement);
  const outcome = byId('outcome', HTMLElement);
  const instances = byId('instances', HTMLInputElement);
  const slots = byId('profile-slot', HTMLSelectElement);
  const kinds = byId('profile-kind', HTMLSelectElement);
  /** What the page itself has put into the field. */
  let shownWanted = instances.value;
  let isBusy = false;

  const enable = () => {
    controls.disabled = token.value === '' || isBusy;
  };
  token.addEventListener('input', enable);
  byId('orders', HTMLFormElement).addEventListener('submit', event => event.preventDefault());

  /** One order at a time. @param {string} doing @param {() => Promise<string>} act */
  async function run(doing, act) {
    isBusy = true;
    enable();
    outcome.dataset['tone'] = 'busy';
    setText(outcome, `${doing} …`);
    try {
      setText(outcome, await act());
      outcome.dataset['tone'] = 'good';
    } catch (error) {
      outcome.dataset['tone'] = 'bad';
      setText(outcome, `Not done: ${/** @type {Error} */ (error).message}`);
    }
    isBusy = false;
    enable();
  }

  /** @param {string} path @param {object} body */
  async function done(path, body) {
    const response = await order(path, body);
    if (!response.ok) throw new Error(await reasonOf(response));
    return response;
  }

  byId('reload', HTMLButtonElement).addEventListener('click', () =>
    run('Reloading', async () => {
      await done('reload', {});
      return 'Reload ordered: the events say how it ends';
    }),
  );
  byId('scale', HTMLButtonElement).addEventListener('click', async () => {
    const number = instances.valueAsNumber;
    if (!instances.reportValidity() || Number.isNaN(number)) return;
    if (!(await isSure(`Run ${number} ${number === 1 ? 'worker' : 'workers'}?`, 'Scale'))) return;
    await run('Scaling', async () => {
      await done('scale', { instances: number });
      return `Scale to ${number} ordered`;
    });
  });
  byId('stop', HTMLButtonElement).addEventListener('click', async () => {
    if (!(await isSure('Stop the service? Nothing will answer until it is started again.', 'Stop'))) return;
    await run('Stopping', async () => {
      await done('stop', {});
      return 'Stop ordered';
    });
  });
  byId('profile', HTMLButtonElement).addEventListener('click', () => {
    const slot = Number(slots.value);
    const kind = kinds.value;
    return run(`Taking ${kinds.selectedOptions[0]?.textContent ?? kind} of slot ${slot}`, async () => {
      const response = await done('diagnose', { slot, kind });
      const name =
        /filename="([^"/\\]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ??
        `slot-${slot}.${kind}`;
      download(name, await response.blob(), 'application/octet-stream');
      return `Downloaded ${name}`;
    });
  });

  return {
    /** @param {Moment} moment */
    show({ wanted, workers }) {
      // A number that someone has typed stays until it is the present one.
      const now = String(wanted);
      if (instances.value === shownWanted && document.activeElement !== instances) instances.value = now;
      if (instances.value === now) shownWanted = now;
      const names = [...new Set(workers.map(({ slot }) => String(slot)))];
      reconcile(slots, names, index => element('option', {}, names[index] ?? ''));
    },
  };
}

/** @param {string} text @param {string} yes @returns {Promise<boolean>} */
function isSure(text, yes) {
  const dialog = byId('question', HTMLDialogElement);
  setText(byId('question-text', HTMLElement), text);
  setText(byId('question-yes', HTMLButtonElement), yes);
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise(resolve =>
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }),
  );
}
