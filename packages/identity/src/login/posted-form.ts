/**
 * Owns reading the forms that identity providers send through browsers. They come before anybody has logged in and are larger
 * than any other request (hundreds of groups, signed), so few are held at a time and none for long.
 */
import { readForm } from '@kfctl/http';
import type { AppError } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import { pageError } from '../pages/error-page.ts';

/** A SAML response of 700 KB in base64 and percent-encoding. */
const MAX_FORM_BYTES = 1_048_576;
/** What every other request may have, and what needs no turn. */
const SMALL_FORM_BYTES = 65_536;
const MAX_LARGE_FORMS = 16;
const PATIENCE_MS = 20_000;

/** Reads the form, lets `use` work with it, and counts it as held until that is done. */
export type WithPostedForm = <T>(request: HttpRequest, use: (form: URLSearchParams) => Promise<T>) => Promise<T>;

/** One for the whole provider. Throws a page: 413 too large, 503 too many at once, 408 too slow. */
export function createFormReader(): WithPostedForm {
  let held = 0;
  return async (request, use) => {
    if (declaredBytes(request) <= SMALL_FORM_BYTES) return await use(await readForm(request, SMALL_FORM_BYTES));
    if (held >= MAX_LARGE_FORMS) throw busy();
    held += 1;
    try {
      return await use(await inTime(readForm(request, MAX_FORM_BYTES)));
    } finally {
      held -= 1;
    }
  };
}

// RFC 9112 §6.2: whoever does not say how much comes may send a lot.
function declaredBytes({ headers }: HttpRequest): number {
  const text = headers['content-length'];
  return text === undefined || !/^\d{1,15}$/.test(text) ? Infinity : Number(text);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(pageError(408, 'The answer took too long to arrive.')), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function busy(): AppError {
  return pageError(503, 'Too many logins at once. Please try again in a moment.');
}
