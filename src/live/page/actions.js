/** Orders to the service. The token stays in its field, and goes nowhere but into the header of an order. */
import { byId, element, reconcile, setText } from './dom.js';
import { download } from './saved.js';

/** @typedef {import('../messages.js').Moment} Moment */

/** @param {string} path @param {object} body @returns {Promise<Response>} */
async function order(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${byId('token', HTMLInputElement).value}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify(body),
    credentials: 'omit',
    cache: 'no-store',
  });
  if (!response.ok) throw new Error(await reasonOf(response));
  return response;
}

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
  const run = createRunner();
  const instances = byId('instances', HTMLInputElement);
  const slots = byId('profile-slot', HTMLSelectElement);
  const kinds = byId('profile-kind', HTMLSelectElement);
  /** What the page itself has put into the field. */
  let shownWanted = instances.value;

  byId('orders', HTMLFormElement).addEventListener('submit', event => event.preventDefault());
  onClick('reload', () =>
    run('Reloading', async () => {
      await order('reload', {});
      return 'Reload ordered: the events say how it ends';
    }),
  );
  onClick('scale', async () => {
    const number = instances.valueAsNumber;
    if (!instances.reportValidity() || Number.isNaN(number)) return;
    if (!(await isSure(`Run ${number} ${number === 1 ? 'worker' : 'workers'}?`, 'Scale'))) return;
    await run('Scaling', async () => {
      await order('scale', { instances: number });
      return `Scale to ${number} ordered`;
    });
  });
  onClick('stop', async () => {
    if (!(await isSure('Stop the service? Nothing will answer until it is started again.', 'Stop'))) return;
    await run('Stopping', async () => {
      await order('stop', {});
      return 'Stop ordered';
    });
  });
  onClick('profile', () => {
    const slot = Number(slots.value);
    const kind = kinds.value;
    return run(`Taking ${kinds.selectedOptions[0]?.textContent ?? kind} of slot ${slot}`, () =>
      downloadProfile(slot, kind),
    );
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

/** @param {string} id @param {() => unknown} act */
const onClick = (id, act) => byId(id, HTMLButtonElement).addEventListener('click', act);

/** @returns what runs one order at a time, and shows how it ends; none without a token */
function createRunner() {
  const token = byId('token', HTMLInputElement);
  const controls = byId('controls', HTMLFieldSetElement);
  const outcome = byId('outcome', HTMLElement);
  let isBusy = false;

  const enable = () => {
    controls.disabled = token.value === '' || isBusy;
  };
  token.addEventListener('input', enable);

  /** @param {string} tone @param {string} text */
  const show = (tone, text) => {
    setText(outcome, text);
    outcome.dataset['tone'] = tone;
  };

  /** @param {string} doing @param {() => Promise<string>} act */
  return async (doing, act) => {
    isBusy = true;
    enable();
    show('busy', `${doing} …`);
    try {
      show('good', await act());
    } catch (error) {
      show('bad', `Not done: ${/** @type {Error} */ (error).message}`);
    }
    isBusy = false;
    enable();
  };
}

/** @param {number} slot @param {string} kind @returns {Promise<string>} what was done */
async function downloadProfile(slot, kind) {
  const response = await order('diagnose', { slot, kind });
  const name =
    /filename="([^"/\\]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ??
    `slot-${slot}.${kind}`;
  download(name, await response.blob(), 'application/octet-stream');
  return `Downloaded ${name}`;
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
