/** Random app files: valid ones, and ones with mistakes of every kind. The same seed and number give the same file. */
import { FOLLOWED } from '../../../src/supervisor/app-file/fields.js';
import { namesOf } from '../../../src/supervisor/app-file/written.js';
import { createRandom, type Random } from '../../soak/random.js';

export interface FuzzedFile {
  readonly number: number;
  readonly name: string;
  readonly text: Buffer;
  readonly only: string | undefined;
  readonly envName: string | undefined;
}

/** One in so many is JavaScript: each starts a process. */
const SCRIPTS = 0.03;

// prettier-ignore
const FIELDS = [
  ...Object.entries(FOLLOWED).flatMap(([name, field]) => namesOf(name, field)),
  'env_production', 'env_', 'deploy', 'apps', 'pm2', 'default', 'out_file', 'merge_logs', 'pmx',
  '__proto__', 'constructor', 'toString', 'toJSON', 'hasOwnProperty', 'kil_timeout', '',
];

/** Right, nearly right and wrong in one field or the other. */
// prettier-ignore
const WORDS = [
  '', ' ', 'a', 'max', 'cluster', 'fork', 'node', 'true', '0', '-1', '1e9', '0x10', '1e400', '65536',
  '5s', '5S', '99h', '9'.repeat(400), '80%', '100%', '0%', '300M', '1.5G', '300m', 'root', 'nobody',
  '* * * * *', '* * * * * *', '0 0 31 2 *', '@daily', '*/0 * * * *', '1-99999999 * * * *', 'L * * * *',
  '[', '**/*', '{a,b', '!(a', '(a+)+$', '\\', '/', '..', './app.js', '/dev/null', '/proc/self/mem', '.',
  '\0',
  'a\0b',
  '\u001b[31m',
  '\ud800',
  '\u{1f600}',
  'é',
  '\r\n',
  '"',
  "'a b",
  '__proto__',
  '$(id)',
  '%s%d',
  'x'.repeat(5_000), 'a '.repeat(2_000), '1,'.repeat(500),
];

// prettier-ignore
const NUMBERS = [
  0, -0, 1, -1, 2, 99, 100, 255, 256, 512, 513, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32,
  2 ** 53, 1e21, 1e308, 0.1, 1.5, -513,
];

/** A value of JSON. */
function value(random: Random, depth = 0): unknown {
  const kind = random.between(0, depth > 4 ? 4 : 8);
  if (kind <= 1) return random.pick(WORDS);
  if (kind === 2) return random.pick(NUMBERS);
  if (kind === 3) return random.chance(0.5);
  if (kind === 4) return null;
  const parts = Array.from({ length: random.between(0, 4) }, () => value(random, depth + 1));
  if (kind <= 6) return parts;
  return Object.fromEntries(parts.map(part => [random.pick(random.chance(0.5) ? FIELDS : WORDS), part]));
}

/** A text of JSON as deep as this. */
const deep = (levels: number, isList: boolean): string =>
  isList ? '['.repeat(levels) + ']'.repeat(levels) : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const DEPTHS = [90, 99, 100, 101, 300, 1_000, 2_500, 6_000, 50_000];

/** Replaced by something that `JSON.stringify` cannot write. */
const PLACE = '@@@';

function description(random: Random): unknown {
  const app: Record<string, unknown> = {
    name: 'app',
    script: './app.js',
    exec_mode: 'cluster',
    instances: 1,
  };
  for (let left = random.between(0, 5); left > 0; left--)
    Object.defineProperty(app, random.pick(FIELDS), {
      value: random.chance(0.1) ? PLACE : value(random),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  if (random.chance(0.05)) return value(random);
  if (random.chance(0.1)) return app;
  const others = random.chance(0.1) ? [value(random)] : [];
  const deploy = random.chance(0.1) ? { deploy: { production: value(random) } } : {};
  return { [random.chance(0.9) ? 'apps' : 'pm2']: [app, ...others], ...deploy };
}

/** What only JavaScript can say, as expressions. */
// prettier-ignore
const EXPRESSIONS = [
  'undefined', 'NaN', '-Infinity', '10n', 'Symbol()', '() => 1', 'class A {}', '/a/gy', 'new Map()',
  'new Date(NaN)',
  'new Date(0)',
  'new URL("http://a/")',
  'Buffer.alloc(9)',
  'new Array(9)',
  'process.env',
  'Object.create(null)', 'Object.create({ script: "x" })', 'new (class A {})()', 'new (class {})()',
  'new String("5")', 'new Number(5)', 'globalThis', 'module', 'process', 'new Error("own")', 'require',
  '{ toString: 0 }', '{ valueOf: 0, toString: 0 }', '{ [Symbol.toPrimitive]: 1 }', '[undefined, , 1]',
  '{ get a() { throw new Error("no") } }', '{ get a() { throw null } }', '{ toJSON: () => undefined }',
  '{ toJSON() { throw 1 } }', '{ toJSON() { return { toJSON: this.toJSON } } }', '{ toJSON: 5 }',
  'Object.setPrototypeOf({}, new Proxy({}, { get() { throw 2 } }))', 'new Proxy({}, {})',
  'new Proxy([], { get() { throw new Error("p") } })',
  '(p => (p.revoke(), p.proxy))(Proxy.revocable({}, {}))',
  '(a => (a.a = a))({})', '(a => (a.push(a), a))([])', 'Promise.resolve(1)', '(async () => ({}))()',
  'Object.defineProperty({}, "constructor", { get() { throw 3 }, enumerable: true })', '{ then: 1 }',
  '{ [Symbol.toStringTag]: "RegExp" }',
  '{ get [Symbol.toStringTag]() { throw 4 } }',
  '{ constructor: null }',
  'Object.create(Object.create({ constructor: { get name() { throw 5 } } }))', '"x".repeat(9e6)',
  'Object.create(Object.create({ constructor: { name: { a: 1 } } }))',
  '{ ["__proto__"]: { script: "y" } }',
];

/** What a file does besides. */
// prettier-ignore
const STATEMENTS = [
  'process.exit(0);', 'process.exit(7);', 'throw null;', 'throw undefined;', 'throw new Error("own");',
  'throw { get message() { throw 1 } };', 'throw "\\u001b[31m\\0text\\nof\\nlines";', 'syntax error',
  'Promise.reject(new Error("late"));', 'setTimeout(() => { throw 1 });', 'process.kill(process.pid);',
  'process.exit = () => undefined;', 'JSON.stringify = () => "no";', 'Buffer.from = () => { throw 1 };',
  'Object.prototype.toJSON = () => 5;', 'Object.prototype.script = "z";', 'Array.prototype.map = null;',
  'Object.entries = () => [[1]];',
  'Array.prototype.toJSON = () => 7;',
  'Set.prototype.has = () => true;',
  'require("fs").closeSync(3);', 'require("fs").writeSync(3, "content 5\\n");', 'process.abort();',
  'require("fs").writeSync(3, "content [\\"regexp\\",\\"(\\"]\\n");',
  'require("fs").writeSync(3, "content [1]\\n");',
  'require("fs").writeSync(3, "failure {\\n");', 'require("fs").writeSync(3, "x".repeat(9e6));',
  'require("fs").writeSync(3, "content [\\"bigint\\",\\"x\\"]\\n");',
  'process.on("exit", () => { for (;;); });',
  'console.log("x".repeat(2e5));',
  'console.error("\\u001b[31mred\\u0007");',
  'process.emitWarning("own");',
  'process.removeAllListeners();',
  'process.on("uncaughtException", () => 0);',
  'globalThis.process = null;',
  'for (;;);', 'process.chdir("/");', 'setInterval(() => 0, 9);', 'delete globalThis.JSON;',
];

function script(random: Random): { readonly name: string; readonly text: string } {
  const content = JSON.stringify(description(random)).replaceAll(
    `"${PLACE}"`,
    () => `(${expression(random)})`,
  );
  const before = random.chance(0.3) ? random.pick(STATEMENTS) : '';
  const exported = random.chance(0.1) ? expression(random) : content;
  const tail = random.chance(0.1) ? random.pick(STATEMENTS) : '';
  return random.chance(0.15)
    ? { name: 'app.config.mjs', text: `${before}\nexport default (${exported});\n${tail}` }
    : { name: 'app.config.js', text: `${before}\nmodule.exports = (${exported});\n${tail}` };
}

function expression(random: Random): string {
  if (random.chance(0.1))
    return `(n => { let a = ${random.pick(['{}', '[]'])}; while (n--) a = { a }; return a; })(${random.pick(DEPTHS)})`;
  const one = random.pick(EXPRESSIONS);
  return one.startsWith('{') ? `(${one})` : one;
}

// prettier-ignore
const YAML = [
  'apps: &a\n  - script: ./app.js\n    env: *a\n',
  'apps:\n  - !!js/function x\n',
  '--- 1\n--- 2\n',
  '!!binary x',
  'apps:\n  - {script: ./app.js, env: {A: 2026-01-01, B: .nan, C: 0o7, D: !!set {a}}}\n', '? [a]\n: b\n',
  'a: &a [x,x,x]\nb: &b [*a,*a,*a]\napps: [{script: ./app.js, args: *b, <<: {watch: *b}}]\n',
  '\t',
  '%YAML 9',
  'apps:\n  - script: ./app.js\n    <<: [1, 2]\n', '<<: *none', 'apps: !!omap [a: 1]', '- - - - -',
  // A part that stands for itself 3^12 times.
  `apps: [{script: ./app.js, env: {a: &a0 [x]${Array.from({ length: 12 }, (_, n) => `, b${n}: &a${n + 1} [*a${n},*a${n},*a${n}]`).join('')}}}]`,
];

function data(random: Random): { readonly name: string; readonly text: string } {
  const name = random.pick(['app.json', 'app.json5', 'app.yaml', 'app.yml', 'app.json', 'app.toml']);
  if (name.includes('.y') && random.chance(0.2)) return { name, text: random.pick(YAML) };
  const written = (): string => deep(random.pick(DEPTHS), random.chance(0.5));
  const text = JSON.stringify(description(random), null, random.pick([0, 2]));
  const filled = text.replaceAll(`"${PLACE}"`, written);
  return name === 'app.json5' && random.chance(0.5)
    ? { name, text: `// a comment\n${filled.replaceAll('"', "'")}` }
    : { name, text: filled };
}

/** Bytes are lost, doubled, replaced, added. */
function mutated(text: Buffer, random: Random): Buffer {
  const at = random.between(0, text.length);
  const end = Math.min(text.length, at + random.between(0, 8));
  const middle = random.pick<Buffer>([
    Buffer.alloc(0),
    Buffer.concat([text.subarray(at, end), text.subarray(at, end)]),
    Buffer.from(
      random.pick(['{', '}', '[', ']', ',', ':', '"', "'", '\\u', '\n', '\t', '&a ', '*a', '#', '0']),
    ),
    Buffer.from([random.between(0, 255), random.between(0, 255)]),
    Buffer.from('\ufeff'),
  ]);
  return Buffer.concat([text.subarray(0, at), middle, text.subarray(end)]);
}

/** @param scripts how many of all are JavaScript, from 0 to 1 */
export function fileOf(seed: number, number: number, scripts = SCRIPTS): FuzzedFile {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const { name, text } = random.chance(scripts) ? script(random) : data(random);
  let bytes: Buffer = Buffer.from(text);
  if (random.chance(0.3))
    for (let left = random.between(1, 3); left > 0; left--) bytes = mutated(bytes, random);
  return {
    number,
    name,
    text: bytes,
    only: random.chance(0.1) ? random.pick(['app', 'other', '']) : undefined,
    envName: random.chance(0.2)
      ? random.pick(['production', '__proto__', 'constructor', '', 'x'])
      : undefined,
  };
}
