/** Elements. Everything that is shown is text: no string becomes markup. */

/**
 * The element with this id, of this kind.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} with the id ${id}`);
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Readonly<Record<string, string | undefined>>} [attributes] those that are undefined are left out
 * @param {readonly (Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Changes only what differs, so that selections and screen readers are left in peace. @param {Element} target @param {string} text */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** @param {Element} target @param {string} name @param {string} value */
export function setAttribute(target, name, value) {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {Readonly<Record<string, string | number>>} [attributes]
 * @param {readonly (Node | string)[]} children
 */
export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** Shapes differ, so that no kind of event is known by its colour alone. */
const SHAPES = {
  start: 'M4 2.5 L13 8 L4 13.5 Z',
  ready: 'M2.5 8.5 L6.5 12.5 L13.5 4',
  reload: 'M13 8 a5 5 0 1 1 -1.6 -3.7 M11.8 1.5 V4.6 H8.7',
  crash: 'M3 3 L13 13 M13 3 L3 13',
  hang: 'M4 2.5 H12 L4 13.5 H12 Z',
  scale: 'M8 2 V14 M4.5 5.5 L8 2 L11.5 5.5 M4.5 10.5 L8 14 L11.5 10.5',
  memory: 'M8 1.8 L14.2 8 L8 14.2 L1.8 8 Z',
  stop: 'M3.5 3.5 H12.5 V12.5 H3.5 Z',
};

/** @param {keyof typeof SHAPES} kind */
export const icon = kind =>
  drawing(
    'svg',
    { viewBox: '0 0 16 16', class: 'icon', 'aria-hidden': 'true' },
    drawing('path', { d: SHAPES[kind] ?? SHAPES.ready }),
  );

/**
 * Brings the children of `parent` in line with `keys`: one node a key, kept while its key is.
 * @param {Element} parent
 * @param {readonly string[]} keys
 * @param {(index: number) => HTMLElement} make
 */
export function reconcile(parent, keys, make) {
  /** @type {Map<string, HTMLElement>} */
  const old = new Map();
  for (const child of parent.children)
    if (child instanceof HTMLElement) old.set(child.dataset['key'] ?? '', child);
  keys.forEach((key, index) => {
    let node = old.get(key);
    if (node === undefined) {
      node = make(index);
      node.dataset['key'] = key;
    }
    old.delete(key);
    const there = parent.children[index];
    if (there !== node) parent.insertBefore(node, there ?? null);
  });
  for (const node of old.values()) node.remove();
}
