/** The supervisor that this one is to replace: its sockets and its word, over the channel to it. */
import { EXIT } from '../../protocol/exit-codes.js';
import { isTakeOver, takeHandover, type FromSuccessor, type Handover } from './handover.js';

export interface Predecessor {
  readonly handover: Handover;
  /** Says that our workers serve; resolves with the order to take over. */
  ready(): Promise<void>;
  /** This supervisor is in charge from now on. */
  taken(): Promise<void>;
  /** Says why this supervisor ends; resolves when that is on its way. */
  failed(reason: string): Promise<void>;
  /** What to do if the predecessor is gone, or does not want us any more, before it has given the order. */
  onLost(call: () => void): void;
}

/** @returns nothing in a supervisor that replaces none */
export function findPredecessor(): Predecessor | undefined {
  const handover = takeHandover(process.env);
  if (handover === undefined) return undefined;
  let lost = (): void => process.exit(EXIT.internal);
  let order = (): void => undefined;
  process.once('disconnect', () => lost());
  process.on('message', message => {
    if (!isTakeOver(message)) return;
    lost = () => undefined; // its end is what comes next
    order();
  });
  return {
    handover,
    async ready() {
      const ordered = new Promise<void>(resolve => (order = resolve));
      await say({ type: 'cabe:upgrade.ready' });
      await ordered;
    },
    async taken() {
      await say({ type: 'cabe:upgrade.taken' });
      if (process.connected) process.disconnect();
    },
    failed: reason => say({ type: 'cabe:upgrade.failed', reason }),
    onLost: call => void (lost = call),
  };
}

/** A predecessor that is gone hears nothing, and needs not. */
function say(message: FromSuccessor): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}
