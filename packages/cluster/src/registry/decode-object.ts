/** Owns the step from a request body to an object of the addressed kind. */
import { servedApiVersion } from '../resources/definition.ts';
import type { ServedResource } from '../resources/definition.ts';
import { conform, TypeMismatch } from '../schema/conform.ts';
import { cloneJson, isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { RequestContext } from './request-context.ts';
import { badRequest } from './status-error.ts';
import type { StatusError } from './status-error.ts';

/** A cleaned copy of the body in the request's version; throws 400 for another kind, a wrong type, or (strict) unknown fields. */
export function decodeObject(body: unknown, served: ServedResource, context: RequestContext): JsonObject {
  const object = requireKind(body, served);
  const { custom, schema } = served.version;
  if (custom !== undefined) {
    const copy = cloneJson(object);
    reportUnknown(custom.prune(copy), served, context);
    return dropNullMeta(copy);
  }
  try {
    const result = conform(object, schema);
    reportUnknown(result.unknown, served, context);
    return result.object;
  } catch (error) {
    if (error instanceof TypeMismatch) throw unhandled(served, error.message);
    throw error;
  }
}

function requireKind(body: unknown, served: ServedResource): JsonObject {
  if (!isObject(body)) throw badRequest('the request body is not a JSON object');
  const expected = servedApiVersion(served);
  const { kind } = served.definition;
  const object = { apiVersion: expected, kind, ...body };
  if (object.apiVersion !== expected) {
    const given = String(object.apiVersion);
    throw badRequest(`the API version in the data (${given}) does not match the expected API version (${expected})`);
  }
  if (object.kind !== kind) {
    const given = `${expected}, Kind=${String(object.kind)}`;
    throw badRequest(
      `${kind} in version "${served.version.version}" cannot be handled as a ${kind}: no kind "${String(object.kind)}" is registered for "${given}"`,
    );
  }
  return object;
}

function unhandled(served: ServedResource, why: string): StatusError {
  const { kind } = served.definition;
  return badRequest(`${kind} in version "${served.version.version}" cannot be handled as a ${kind}: ${why}`);
}

function reportUnknown(paths: readonly string[], served: ServedResource, context: RequestContext): void {
  if (paths.length === 0 || context.fieldValidation === 'Ignore') return;
  const texts = paths.map((path) => `unknown field "${path}"`);
  if (context.fieldValidation === 'Strict') throw unhandled(served, `strict decoding error: ${texts.join(', ')}`);
  context.warnings.push(...texts);
}

function dropNullMeta(object: JsonObject): JsonObject {
  const { metadata } = object;
  if (isObject(metadata)) {
    for (const key of Object.keys(metadata)) if (metadata[key] === null) delete metadata[key];
  }
  return object;
}
