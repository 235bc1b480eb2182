/** Owns the two ways in which errors leave: as a page for people, as JSON for programs. Both tell no more than `public`. */
import { describeError, isAppError } from '@kfctl/core';
import { jsonResponse } from '@kfctl/http';
import type { Logger } from '@kfctl/core';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';
import { errorPage } from '../pages/error-page.ts';
import type { PageRenderer } from '../pages/page.ts';

type Edge = (handler: HttpHandler) => HttpHandler;

export function pageEdge(render: PageRenderer, log: Logger): Edge {
  return (handler) => async (request) => {
    try {
      return noStore(await handler(request));
    } catch (error) {
      const { status, text } = judge(error, request, log);
      return noStore(render(errorPage(status, text)));
    }
  };
}

export function jsonEdge(log: Logger): Edge {
  return (handler) => async (request) => {
    try {
      return await handler(request);
    } catch (error) {
      const { status, text } = judge(error, request, log);
      const code = status >= 500 ? 'server_error' : 'invalid_request';
      return jsonResponse(status, { error: code, error_description: text }, { 'cache-control': 'no-store' });
    }
  };
}

function judge(error: unknown, { id, method, path }: HttpRequest, log: Logger): { status: number; text: string } {
  const status = isAppError(error) ? error.status : 500;
  const fields = { id, method, path, status, error: describeError(error) };
  if (status >= 500) log.warn('request failed', fields);
  else log.info('request refused', fields);
  return { status, text: (isAppError(error) ? error.public : undefined) ?? 'Internal server error.' };
}

// Pages and redirects carry state that is for one browser.
function noStore(response: HttpResponse): HttpResponse {
  return { ...response, headers: { 'cache-control': 'no-store', ...response.headers } };
}
