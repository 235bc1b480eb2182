/** JSON patches (RFC 6902) on plain values, with the leniencies of the library that the reference uses (`-1`, `-`, missing `test` targets). */

import { KustomizeError } from '../errors.ts';

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from: string | undefined;
  /** Undefined when the operation has no value. */
  readonly value: Json | undefined;
}

function failed(reason: string): KustomizeError {
  return new KustomizeError('PATCH_FAILED', reason);
}

function tokens(pointer: string): string[] {
  const parts = pointer.split('/');
  if (pointer !== '' && parts.length < 2) throw failed(`unable to find path '${pointer}': a path starts with /`);
  return parts.slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Position in a list: `-1` counts from the end; undefined when it is none. */
function position(list: readonly Json[], key: string): number | undefined {
  if (!/^[-+]?\d+$/u.test(key)) return undefined;
  const index = Number(key);
  if (index >= 0) return index < list.length ? index : undefined;
  return index >= -list.length ? index + list.length : undefined;
}

function child(container: Json, key: string): Json | undefined {
  if (Array.isArray(container)) {
    const index = position(container, key);
    return index === undefined ? undefined : container[index];
  }
  return isObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}

interface Spot {
  readonly container: Json[] | JsonObject;
  readonly key: string;
}

function locate(document: Json, path: string): Spot | undefined {
  const parts = tokens(path);
  const key = parts.pop();
  if (key === undefined) return undefined;
  let container: Json | undefined = document;
  for (const part of parts) container = container === undefined ? undefined : child(container, part);
  return Array.isArray(container) || isObject(container) ? { container, key } : undefined;
}

function define(object: JsonObject, key: string, value: Json): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function insert(list: Json[], key: string, value: Json): void {
  if (key === '-') {
    list.push(value);
    return;
  }
  const index = /^[-+]?\d+$/u.test(key) ? Number(key) : Number.NaN;
  const at = index < 0 ? index + list.length + 1 : index;
  if (!(at >= 0 && at <= list.length)) throw failed(`unable to access invalid index '${key}'`);
  list.splice(at, 0, value);
}

function add(document: Json, path: string, value: Json): void {
  const spot = locate(document, path);
  if (spot === undefined) throw failed(`add operation does not apply: doc is missing path '${path}'`);
  if (Array.isArray(spot.container)) insert(spot.container, spot.key, value);
  else define(spot.container, spot.key, value);
}

function remove(document: Json, path: string): void {
  const spot = locate(document, path);
  if (spot === undefined || child(spot.container, spot.key) === undefined) {
    throw failed(`remove operation does not apply: doc is missing path '${path}'`);
  }
  if (Array.isArray(spot.container)) spot.container.splice(position(spot.container, spot.key) ?? 0, 1);
  else delete spot.container[spot.key];
}

/** A missing member of an object is added, which the reference's library allows. */
function replace(document: Json, path: string, value: Json): void {
  const spot = locate(document, path);
  const index = spot !== undefined && Array.isArray(spot.container) ? position(spot.container, spot.key) : undefined;
  if (spot === undefined || (Array.isArray(spot.container) && index === undefined)) {
    throw failed(`replace operation does not apply: doc is missing path '${path}'`);
  }
  if (!Array.isArray(spot.container)) define(spot.container, spot.key, value);
  else if (index !== undefined) spot.container[index] = value;
}

function read(document: Json, from: string, op: string): Json {
  const spot = locate(document, from);
  const value = spot === undefined ? undefined : child(spot.container, spot.key);
  const missingMember = op === 'copy' && spot !== undefined && !Array.isArray(spot.container);
  if (value === undefined && !missingMember)
    throw failed(`${op} operation does not apply: doc is missing from path '${from}'`);
  return value ?? null;
}

function equal(left: Json | undefined, right: Json | undefined): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => equal(item, right[index]));
  }
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
    );
  }
  return left === right;
}

function test(document: Json, path: string, value: Json): void {
  const spot = locate(document, path);
  if (spot === undefined) throw failed(`test operation does not apply: doc is missing path '${path}'`);
  const found = child(spot.container, spot.key);
  if (found === undefined && Array.isArray(spot.container))
    throw failed(`test operation does not apply: invalid index in '${path}'`);
  if (!equal(found ?? null, value)) throw failed(`testing value ${path} failed`);
}

function applyOne(document: Json, operation: PatchOperation): void {
  const { op, path } = operation;
  const value = operation.value === undefined ? null : structuredClone(operation.value);
  switch (op) {
    case 'add':
      return add(document, path, value);
    case 'remove':
      return remove(document, path);
    case 'replace':
      return replace(document, path, value);
    case 'test':
      return test(document, path, value);
    case 'copy':
      return add(document, path, structuredClone(read(document, operation.from ?? '', op)));
    case 'move': {
      const moved = read(document, operation.from ?? '', op);
      remove(document, operation.from ?? '');
      return add(document, path, moved);
    }
    default:
      throw new KustomizeError('PATCH_INVALID', `unexpected JSON patch operation '${op}'`, {
        hint: 'use add, remove, replace, move, copy or test',
      });
  }
}

/** Applies the operations in order to `document`, which is changed. */
export function applyJsonPatch(document: Json, operations: readonly PatchOperation[]): void {
  for (const operation of operations) applyOne(document, operation);
}
