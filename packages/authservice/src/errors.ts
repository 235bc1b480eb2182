/** Owns the error codes of the AuthService; what the wire is told is vague on purpose. */
import { AppError } from '@kfctl/core';

const RETRY = 'The login could not be completed. Please log in again.';
const LATER = 'The login service is not available at the moment. Please try again shortly.';

/** The identity provider does not answer, or answers what we cannot use. */
export function providerFailed(message: string, cause?: unknown): AppError {
  return new AppError('PROVIDER_FAILED', message, { status: 502, public: LATER, cause });
}

/** A login that must not be finished: `message` says why to the operator, `text` what the person is told. */
export function loginRefused(status: 400 | 403, message: string, text: string = RETRY): AppError {
  return new AppError('LOGIN_REFUSED', message, { status, public: text });
}

/** Sessions can be neither read nor written; nobody is let in on a guess. */
export function sessionsUnavailable(message: string, cause?: unknown): AppError {
  return new AppError('SESSIONS_UNAVAILABLE', message, { status: 503, public: LATER, cause });
}
