/** Owns RFC 6902 JSON Patch. */
import { cloneJson, isEqual, isObject, setOwn } from '../schema/json.ts';
import { badRequest, StatusError } from '../registry/status-error.ts';

const MAX_OPERATIONS = 10_000;

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** Applies the operations to a private copy. 400 for a malformed patch, 422 for one that does not fit the document. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (patch.length > MAX_OPERATIONS) {
    const message = `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`;
    throw new StatusError(413, 'RequestEntityTooLarge', { message });
  }
  let root: unknown = cloneJson(document);
  for (const operation of patch) root = applyOperation(root, requireOperation(operation));
  return root;
}

function requireOperation(operation: unknown): Operation {
  if (!isObject(operation) || typeof operation['op'] !== 'string' || typeof operation['path'] !== 'string') {
    throw badRequest('a JSON patch operation needs "op" and "path"');
  }
  return operation as unknown as Operation;
}

function applyOperation(root: unknown, operation: Operation): unknown {
  const path = parsePointer(operation.path);
  switch (operation.op) {
    case 'add':
      return add(root, path, requireValue(operation));
    case 'remove':
      return remove(root, path);
    case 'replace':
      read(root, path);
      return path.length === 0 ? requireValue(operation) : replace(root, path, requireValue(operation));
    case 'move': {
      const from = parsePointer(operation.from ?? '');
      const value = read(root, from);
      return add(remove(root, from), path, value);
    }
    case 'copy':
      return add(root, path, cloneJson(read(root, parsePointer(operation.from ?? ''))));
    case 'test':
      if (!isEqual(readOptional(root, path), operation.value))
        throw unfit(`testing path ${operation.path}: test failed`);
      return root;
    default:
      throw unfit(`Unexpected kind: ${operation.op}`);
  }
}

function requireValue(operation: Operation): unknown {
  if (!Object.hasOwn(operation, 'value')) throw unfit(`${operation.op} operation does not apply: missing value`);
  return cloneJson(operation.value);
}

function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw unfit(`path ${JSON.stringify(pointer)} does not start with a slash`);
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function add(root: unknown, path: readonly string[], value: unknown): unknown {
  const key = path.at(-1);
  if (key === undefined) return value;
  const parent = read(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : indexOf(key, parent.length), 0, value);
  else if (isObject(parent)) setOwn(parent, key, value);
  else throw missing('add', path);
  return root;
}

function replace(root: unknown, path: readonly string[], value: unknown): unknown {
  const key = path.at(-1) ?? '';
  const parent = read(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent[indexOf(key, parent.length - 1)] = value;
  else if (isObject(parent)) setOwn(parent, key, value);
  return root;
}

function remove(root: unknown, path: readonly string[]): unknown {
  const key = path.at(-1);
  if (key === undefined) return undefined;
  const parent = read(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(indexOf(key, parent.length - 1), 1);
  else if (isObject(parent) && Object.hasOwn(parent, key)) delete parent[key];
  else throw missing('remove', path);
  return root;
}

function read(root: unknown, path: readonly string[]): unknown {
  let current = root;
  for (const key of path) {
    if (Array.isArray(current)) current = current[indexOf(key, current.length - 1)];
    else if (isObject(current) && Object.hasOwn(current, key)) current = current[key];
    else throw missing('replace', path);
  }
  return current;
}

function readOptional(root: unknown, path: readonly string[]): unknown {
  let current = root;
  for (const key of path) {
    if (Array.isArray(current)) current = current[Number(key)];
    else if (isObject(current) && Object.hasOwn(current, key)) current = current[key];
    else return undefined;
  }
  return current;
}

function indexOf(key: string, last: number): number {
  const index = Number(key);
  if (/^(?:0|[1-9]\d*)$/.test(key) && index <= last) return index;
  throw unfit(`Unable to access invalid index: ${key}`);
}

function missing(operation: string, path: readonly string[]): StatusError {
  return unfit(`${operation} operation does not apply: doc is missing path: "/${path.join('/')}": missing value`);
}

function unfit(why: string): StatusError {
  const message = `the server rejected our request due to an error in our request: ${why}`;
  return new StatusError(422, 'Invalid', { message, details: {} });
}
