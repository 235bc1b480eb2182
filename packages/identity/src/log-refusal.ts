/** Owns the one line that the log gets for a request that was refused: what was asked, with what status, and why. */
import type { LogFields, Logger } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';

/** What a stranger sends must not fill the log. */
const MAX_CHARACTERS = 300;

/** A refusal is no failure of ours; `why` has the status and `error` or `reason`. */
export function logRefusal(log: Logger, { id, method, path }: HttpRequest, why: LogFields): void {
  const fields = Object.entries({ path, ...why }).map(([name, value]) => [name, shorten(value)]);
  log.info('request refused', { id, method, ...Object.fromEntries(fields) });
}

function shorten(value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= MAX_CHARACTERS) return value;
  return `${value.slice(0, MAX_CHARACTERS).toWellFormed()}…`;
}
