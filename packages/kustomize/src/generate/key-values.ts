/** Key-value pairs of a generator: env files first, then literals, then files. */

import { KustomizeError, inPlace } from '../errors.ts';
import { type Loader, decodeText } from '../files/loader.ts';
import type { Generator } from '../kustomization/kustomization.ts';

export type Data = Map<string, Uint8Array>;

export function loadKeyValues(generator: Generator, loader: Loader): Data {
  const data: Data = new Map();
  const add = (key: string, value: Uint8Array): void => {
    if (data.has(key)) {
      throw new KustomizeError('GENERATOR_INVALID', `${generator.name} illegally repeats the key \`${key}\``, {
        field: generator.field,
      });
    }
    data.set(key, value);
  };
  for (const path of generator.envs) addEnvFile(path, loader, add);
  for (const literal of generator.literals) addLiteral(literal, generator.field, add);
  for (const source of generator.files) addFile(source, { loader, field: generator.field }, add);
  return data;
}

type Add = (key: string, value: Uint8Array) => void;

const nonSpace = /\S/u;
const envName = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/u;

/** Lines `KEY=value`; `#` starts a comment, values are taken as they are. */
function addEnvFile(path: string, loader: Loader, add: Add): void {
  const file = loader.read(path);
  const text = decodeText(file);
  const lines = (text.startsWith('\ufeff') ? text.slice(1) : text).split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const start = nonSpace.exec(line)?.index;
    if (start === undefined || line[start] === '#') continue;
    const equals = line.indexOf('=', start);
    const key = equals < 0 ? line.slice(start) : line.slice(start, equals);
    if (key === '') continue;
    inPlace({ file: file.path, line: index + 1 }, () =>
      add(key, Buffer.from(equals < 0 ? '' : line.slice(equals + 1))),
    );
  }
}

function unquote(text: string): string {
  const first = text.charAt(0);
  if (text.length < 2 || first !== text.at(-1)) return text;
  return first === '"' || first === "'" ? text.slice(1, -1) : text;
}

function addLiteral(literal: string, field: string, add: Add): void {
  const equals = literal.indexOf('=');
  if (equals <= 0) {
    throw new KustomizeError('GENERATOR_INVALID', `invalid literal source ${literal}, expected key=value`, {
      field: `${field}.literals`,
    });
  }
  add(literal.slice(0, equals), Buffer.from(unquote(literal.slice(equals + 1))));
}

/** `key=path`, or a path whose last part is the key. */
function addFile(source: string, { loader, field }: { loader: Loader; field: string }, add: Add): void {
  const parts = source.split('=');
  if (parts.length > 2 || parts.some((part) => part === '')) {
    throw new KustomizeError('GENERATOR_INVALID', `'${source}' is no file source`, {
      field: `${field}.files`,
      hint: 'write path or key=path',
    });
  }
  const path = parts[1] ?? parts[0] ?? '';
  const key = parts.length === 2 ? (parts[0] ?? '') : (path.split('/').at(-1) ?? '');
  add(key, loader.read(path).bytes);
}

export function isEnvName(name: string): boolean {
  return envName.test(name);
}
