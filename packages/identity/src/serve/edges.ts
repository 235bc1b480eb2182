/** Owns the two ways in which errors leave: as a page for people, as JSON for programs. Both tell no more than `public`. */
import { describeError, isAppError } from '@kfctl/core';
import { jsonResponse } from '@kfctl/http';
import type { Logger } from '@kfctl/core';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';
import { logRefusal } from '../log-refusal.ts';
import { errorPage } from '../pages/error-page.ts';
import type { PageRenderer } from '../pages/page.ts';

type Edge = (handler: HttpHandler) => HttpHandler;

export function pageEdge(render: PageRenderer, log: Logger): Edge {
  return (handler) => async (request) => {
    try {
      return noStore(await handler(request));
    } catch (error) {
      const { status, text } = judge(error, request, log);
      return noStore(render(errorPage(status, text), request.path));
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

function judge(error: unknown, request: HttpRequest, log: Logger): { status: number; text: string } {
  const { id, method, path } = request;
  const status = isAppError(error) ? error.status : 500;
  const why = { status, error: describeError(error) };
  if (status >= 500) log.warn('request failed', { id, method, path, ...why });
  else logRefusal(log, request, why);
  return { status, text: (isAppError(error) ? error.public : undefined) ?? 'Internal server error.' };
}

/** Paths and methods that nobody serves; the router answers those by itself. */
export function withRouteLog(router: HttpHandler, log: Logger): HttpHandler {
  return async (request) => {
    const response = await router(request);
    if (response.status === 405) logRefusal(log, request, { status: 405, reason: 'method not allowed' });
    return response;
  };
}

// Pages and redirects carry state that is for one browser.
function noStore(response: HttpResponse): HttpResponse {
  return { ...response, headers: { 'cache-control': 'no-store', ...response.headers } };
}
