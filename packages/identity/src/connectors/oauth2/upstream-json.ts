/** Owns reading what upstreams answer: nothing is believed to be there, or of its type, before it was looked at. */
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

export function asObjects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}

export function asTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** The text under a key, or empty. */
export function textOf(object: JsonObject, key: string): string {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === 'string' ? value : '';
}

/** A text or a whole number that must be there; ids come as either. */
export function requireText(object: JsonObject, key: string): string {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  if (typeof value === 'string' && value !== '') return value;
  if (Number.isSafeInteger(value)) return String(value);
  throw new AppError(IDENTITY_ERRORS.connectorFailed, `the upstream did not send "${key}"`, {
    hint: 'Look at the scopes and permissions that this client has there.',
  });
}
