'use strict';
/**
 * The worker of `yarn hardening fuzz --channel` that attacks: at SIGUSR2 it performs the steps of `attack.json`
 * (`attacks.ts`). Lines with handles go around `process.send`, which would put them into an envelope and wait for a receipt.
 */
const dgram = require('node:dgram');
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const net = require('node:net');
const { join } = require('node:path');

/** The raw channel has no other name, and its requests to write no public one. */
const channel =
  process[Object.getOwnPropertySymbols(process).find(({ description }) => description === 'kChannelHandle')];
const { WriteWrap } = process.binding('stream_wrap');
const { TCP, constants } = process.binding('tcp_wrap');

/** @returns nothing once the channel is closed */
function write(text, handle) {
  return new Promise(resolve => {
    const request = new WriteWrap();
    request.oncomplete = () => resolve();
    const failed = channel.writeLatin1String(request, text, handle);
    // A write that the system takes at once has no completion.
    if (failed !== 0) resolve();
    else setImmediate(resolve);
  });
}

async function flushed() {
  while (channel.writeQueueSize > 0) await new Promise(resolve => setTimeout(resolve, 5));
}

const rawOf = whole => Reflect.get(whole, '_handle');

/** What `process.send` takes, the handle of it, and how it is let go of here. */
const HANDLES = {
  async server() {
    const server = net.createServer().listen({ port: 0, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return { whole: server, raw: rawOf(server), close: () => server.close() };
  },
  async bound() {
    const handle = new TCP(constants.SERVER);
    handle.bind('127.0.0.1', 0);
    return { whole: handle, raw: handle, close: () => handle.close() };
  },
  socket: () => pair('socket', { port: 0, host: '127.0.0.1', exclusive: true }),
  accepted: () => pair('accepted', { port: 0, host: '127.0.0.1', exclusive: true }),
  async 'pipe-server'() {
    const server = net.createServer().listen({ path: ownPath(), exclusive: true });
    await once(server, 'listening');
    return { whole: server, raw: rawOf(server), close: () => server.close() };
  },
  pipe: () => pair('accepted', { path: ownPath(), exclusive: true }),
  async dgram() {
    const socket = dgram.createSocket('udp4');
    socket.bind({ port: 0, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    const state =
      socket[
        Object.getOwnPropertySymbols(socket).find(({ description }) => /state symbol/.test(description))
      ];
    return { whole: socket, raw: state.handle, close: () => socket.close() };
  },
};

let paths = 0;
const ownPath = () => join(__dirname, `own-${process.pid}-${paths++}.sock`);

async function pair(which, where) {
  const server = net.createServer().listen(where);
  await once(server, 'listening');
  const socket = net.connect(where.path ?? server.address().port);
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
  for (const one of [socket, accepted]) one.on('error', () => undefined);
  server.close();
  const whole = which === 'socket' ? socket : accepted;
  return { whole, raw: rawOf(whole), close: () => (socket.destroy(), accepted.destroy()) };
}

const STEPS = {
  async write({ text, times, handle }) {
    for (let left = times; left > 0; left--) {
      const sent = handle && (await HANDLES[handle]());
      await write(text, sent?.raw);
      if (sent) await flushed();
      sent?.close();
    }
  },
  async send({ message, handle }) {
    const { whole, close } = await HANDLES[handle]();
    await new Promise(resolve => {
      process.send(JSON.parse(message), whole, undefined, resolve);
      // Its turn never comes if an earlier one has no receipt.
      setTimeout(resolve, 50);
    });
    try {
      close();
    } catch {
      // a raw handle is closed once it has been sent
    }
  },
  wait: () => new Promise(resolve => setTimeout(resolve, 20)),
  async disconnect() {
    if (process.connected) process.disconnect();
  },
  async end({ how }) {
    if (how === 'exit') process.exit(0);
    process.kill(process.pid, how);
  },
};

async function attack() {
  const { number, steps } = JSON.parse(readFileSync(join(__dirname, 'attack.json'), 'utf8'));
  try {
    for (const step of steps) await STEPS[step.do](step);
  } catch {
    // The channel is closed, and the rest cannot be sent.
  }
  await flushed();
  process.stdout.write(`${JSON.stringify({ level: 30, msg: `attack ${number} done` })}\n`);
}

// What the supervisor answers to forged messages fails here.
process.on('uncaughtException', () => undefined);
process.on('SIGUSR2', attack);
process.on('message', message => message === 'shutdown' && process.exit(0));
const { ppid } = process;
setInterval(() => process.ppid === ppid || process.exit(0), 500);
process.send('ready');
