/** Owns the dashboard's error answers: `{ "error": text }` with a status, as its clients expect. */
import { AppError, isAppError } from '@kfctl/core';
import { jsonResponse } from '@kfctl/http';
import type { HttpResponse } from '@kfctl/http';

/** An answer for the client: `text` is public. */
export function refusal(status: number, text: string, cause?: unknown): AppError {
  return new AppError('DASHBOARD_REFUSED', text, { status, public: text, cause });
}

export function renderError(error: unknown): HttpResponse {
  const status = isAppError(error) ? error.status : 500;
  const text =
    (isAppError(error) ? error.public : undefined) ??
    'Something went wrong. Try again; the server log has the details.';
  return jsonResponse(status, { error: text }, { 'cache-control': 'no-store' });
}
