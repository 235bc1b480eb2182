/** Owns the errors of profiles and access management. */
import { AppError } from '@kfctl/core';

/** A refusal that the caller is told in these words. */
export function refusal(status: number, text: string, cause?: unknown): AppError {
  return new AppError('ACCESS_REFUSED', text, { status, public: text, ...(cause === undefined ? {} : { cause }) });
}
