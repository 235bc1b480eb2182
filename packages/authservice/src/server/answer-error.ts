/** Owns what the wire is told of an error, and what the log is. */
import { describeError, isAppError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { isPageNavigation } from '@kfctl/oidc';
import { errorPage } from '../pages/page.ts';
import { textAnswer } from './answer.ts';
import type { Answer, AskedRequest } from './answer.ts';

/** A page for people, a line for programs; never 200. */
export function answerError(error: unknown, { method, headers }: AskedRequest, log: Logger): Answer {
  const status = isAppError(error) ? error.status : 500;
  const fields = { status, error: describeError(error) };
  // Whoever cannot do its part has said so once; saying it again for every request would drown it.
  if (isAppError(error)) log.debug('request refused', fields);
  else log.error('request failed', fields);
  const text = (isAppError(error) ? error.public : undefined) ?? 'Something went wrong. Please try again.';
  return isPageNavigation(method, headers) ? errorPage(status, text) : textAnswer(status, text);
}
