/** Owns error answers of the token endpoint (RFC 6749 §5.2). */
import { AppError } from '@kfctl/core';
import type { LogFields, Logger } from '@kfctl/core';
import { jsonResponse } from '@kfctl/http';
import type { HttpRequest, HttpResponse } from '@kfctl/http';
import { IDENTITY_ERRORS } from '../errors.ts';
import { logRefusal } from '../log-refusal.ts';

export class TokenRefusal {
  readonly status: number;
  readonly error: string;
  readonly description: string;

  constructor(status: number, error: string, description: string) {
    this.status = status;
    this.error = error;
    this.description = description;
  }
}

/** RFC 6749 §5.1: nothing of this endpoint may be cached. */
export const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

export function refuse(error: string, description: string, status = 400): TokenRefusal {
  return new TokenRefusal(status, error, description);
}

export function renderRefusal({ status, error, description }: TokenRefusal): HttpResponse {
  const body = description === '' ? { error } : { error, error_description: description };
  return jsonResponse(status, body, NO_STORE);
}

export interface RefusedRequest {
  readonly request: HttpRequest;
  readonly refusal: TokenRefusal;
  /** What else the log is told. */
  readonly about?: LogFields;
}

/** The answer, and the line in the log that says why. */
export function answerRefusal(log: Logger, { request, refusal, about = {} }: RefusedRequest): HttpResponse {
  const { status, error, description } = refusal;
  logRefusal(log, request, { ...about, status, error, reason: description });
  return renderRefusal(refusal);
}

/** For what must not be told: the client gets the bare error, the log the reason. */
export function hiddenFailure(message: string, cause: unknown): AppError {
  return new AppError(IDENTITY_ERRORS.protocol, message, { status: 500, public: 'server error', cause });
}
