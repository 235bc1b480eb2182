/** Owns reading of the small JSON bodies that the account API takes. */
import { AppError } from '@kfctl/core';
import type { AskedRequest } from './answer.ts';

const MAX_BYTES = 16_384;

/** The body as a JSON object; throws AppError 415, 413 or 400. Asking for the type keeps forms of other sites out. */
export async function readJsonObject(request: AskedRequest): Promise<Readonly<Record<string, unknown>>> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/json') throw refused(415, 'the body must be application/json');
  const value = parseJson((await request.body(MAX_BYTES)).toString('utf8'));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused(400, 'the body is not a JSON object');
  return value as Record<string, unknown>;
}

function refused(status: number, text: string): AppError {
  return new AppError('BODY_INVALID', text, { status, public: text });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
