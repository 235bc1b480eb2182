/** Owns the page of everything that went wrong: the status in words and one sentence that gives nothing away. */
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../errors.ts';
import { markup } from './markup.ts';
import type { Page } from './page.ts';
import type { TemplatePage } from './template-pages.ts';

// node:http has these words too, but importing it from an ES module loads ten megabytes of fetch.
const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export function errorPage(status: number, message: string): Page {
  const title = TITLES[status] ?? 'Error';
  return {
    status,
    title,
    template: errorTemplate(status, message),
    content: markup`<h1>${title}</h1>
      <p class="error" role="alert">${message}</p>`,
  };
}

export function errorTemplate(status: number, message: string): TemplatePage {
  return { file: 'error.html', data: { ErrType: TITLES[status] ?? 'Error', ErrMsg: message } };
}

/** An error that the person at the browser sees as a page with this text; `detail` is for the log. */
export function pageError(status: number, text: string, detail: { message?: string; cause?: unknown } = {}): AppError {
  return new AppError(IDENTITY_ERRORS.page, detail.message ?? text, { status, public: text, cause: detail.cause });
}

/** For whoever has proven who they are and may not log in all the same; the words are Dex's. */
export function outsiderError(message: string): AppError {
  return pageError(403, 'You are not a member of any of the required groups to authenticate.', { message });
}
