'use strict';
/** Functions that run in the page of a browser. */

/** @returns sentences about what a person could not read or name */
function faults() {
  const luminance = colour => {
    const [r = 0, g = 0, b = 0] = colour.map(part =>
      part <= 10.31 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const numbers = colour => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const background = element => {
    if (element === null) return [255, 255, 255];
    const [r = 0, g = 0, b = 0, alpha = 1] = numbers(getComputedStyle(element).backgroundColor);
    return alpha === 1 ? [r, g, b] : background(element.parentElement);
  };
  const contrast = element => {
    const text = luminance(numbers(getComputedStyle(element).color).slice(0, 3));
    const behind = luminance(background(element));
    return (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
  };
  const ownText = element =>
    [...element.childNodes].map(node => (node instanceof Text ? node.data.trim() : '')).join('');
  const all = [...document.querySelectorAll('body *')].filter(
    element => element.checkVisibility() && element.closest(':disabled, svg, script') === null,
  );
  const faint = all
    .filter(element => ownText(element) !== '' && contrast(element) < 4.5)
    .map(element => `${ownText(element)}: contrast ${contrast(element).toFixed(2)}`);
  const nameless = all
    .filter(element => element.matches('button, input, select, [role=img], [tabindex="0"]'))
    .filter(element => {
      const labels =
        element instanceof HTMLInputElement || element instanceof HTMLSelectElement ? element.labels : null;
      const names = [
        element.getAttribute('aria-label'),
        document.getElementById(element.getAttribute('aria-labelledby') ?? '')?.textContent,
        element instanceof HTMLButtonElement ? element.textContent : null,
        element instanceof HTMLPreElement ? element.textContent : null,
        labels?.[0]?.textContent,
      ];
      return names.every(name => (name ?? '').trim() === '');
    })
    .map(element => `without a name: ${element.outerHTML.slice(0, 80)}`);
  const headless = [...document.querySelectorAll('table')]
    .filter(table => table.querySelector('th[scope=col]') === null || table.caption === null)
    .map(table => `without headers or a caption: #${table.id}`);
  const wide = document.documentElement.scrollWidth > innerWidth ? [`wider than the screen`] : [];
  return [...faint, ...nameless, ...headless, ...wide];
}

/** @returns the name of the element with the focus, and whether the focus can be seen; `null` if none has it */
function focused() {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const marked = element.matches('#zoom input') ? element.nextElementSibling : element;
  const isMarked = getComputedStyle(marked).outlineStyle !== 'none';
  return `${element.id || element.textContent.trim() || element.getAttribute('value')} ${isMarked ? 'visible' : 'lost'}`;
}

/** @returns what the page has kept, and its address */
const stored = () => [document.cookie, localStorage.length, sessionStorage.length, location.href];

module.exports = { faults, focused, stored };
