/** Owns RFC 7386 JSON Merge Patch. */
import { cloneJson, isObject, setOwn } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

/** The document with the patch merged in; null removes. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return cloneJson(patch);
  const result: JsonObject = isObject(document) ? { ...document } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete result[key];
    else setOwn(result, key, applyMergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value));
  }
  return result;
}
