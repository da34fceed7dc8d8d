/** The bottom of the screen: what the person at the keys has to know. Pure. */
import { noticeLines } from './layout.js';
import type { Line } from './paint.js';
import type { Order, State } from './state.js';

export function noticeParts(state: State): Line[] {
  const { notice } = state;
  return noticeLines(state).map(text => [[` ${text}`, notice?.tone ?? 'plain']]);
}

export function footer(state: State): Line {
  if (state.isAsking)
    return [
      [' Stop the service? ', 'bad'],
      ['y', 'strong'],
      [' stop, after the requests in flight   ', 'plain'],
      ['any other key', 'strong'],
      [' go on', 'plain'],
    ];
  if (state.isHelp)
    return [
      [' any key', 'strong'],
      [' back', 'dim'],
    ];
  const last = state.pending.at(-1);
  const pending = last === undefined ? '' : pendingText(last.order);
  const keys: Line = [
    ...key('r', 'reload'),
    ...key('+ -', 'scale'),
    ...key('s', 'stop'),
    ...key('o', 'sort'),
    ...key('e', 'errors'),
    ...key('p', state.frozen === undefined ? 'pause' : 'go on'),
    ...key('?', 'help'),
    ...key('q', 'quit'),
  ];
  return pending === '' ? keys : [[` … ${pending} `, 'passing'], ...keys];
}

const key = (name: string, does: string): Line => [
  [` ${name}`, 'strong'],
  [` ${does} `, 'dim'],
];

function pendingText(order: Order): string {
  if (order.action === 'scale') return `scaling to ${order.instances}`;
  return order.action === 'reload' ? 'reloading' : 'stopping';
}
