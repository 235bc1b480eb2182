/** Owns the small vocabulary for untyped JSON values. */

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

export function asString(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The object at `owner[field]`, made when it is absent. */
export function ensureObject(owner: JsonObject, field: string): JsonObject {
  const present = owner[field];
  if (isObject(present)) return present;
  const made: JsonObject = {};
  owner[field] = made;
  return made;
}

/** Sets `owner[field]` when it is absent or null. */
export function setDefault(owner: JsonObject, field: string, value: unknown): void {
  if (owner[field] === undefined || owner[field] === null) owner[field] = value;
}

/** The value at a path of field names; undefined when any step is missing. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const field of path) {
    if (!isObject(current) || !Object.hasOwn(current, field)) return undefined;
    current = current[field];
  }
  return current;
}

export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}

export function cloneJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => cloneJson(item)) as T;
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) setOwn(copy, key, cloneJson(value[key]));
  return copy as T;
}

/** Plain assignment, except that `__proto__` becomes an own field instead of the prototype. */
export function setOwn(owner: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(owner, key, { value, enumerable: true, configurable: true, writable: true });
  else owner[key] = value;
}
