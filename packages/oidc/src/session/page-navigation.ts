/** Owns the question whether a person's browser waits for a page, or a program for data: the first is sent to the login, the second told 401. */

/** Lower-case names, as node:http gives them. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Whether a request is a page navigation. Browsers say so (Fetch Metadata); without that the Accept header decides. An Accept of anything at all counts
 * as a page: curl and the login scripts of pipeline clients send it and follow redirects. A redirect of anything else would put
 * a login page where data is expected, start logins that nobody sees, and lose the body of a POST.
 */
export function isPageNavigation(method: string, headers: RequestHeaders): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (headers['upgrade'] !== undefined || headers['authorization'] !== undefined) return false;
  // Proxies that ask about a WebSocket may leave `upgrade` out: it is of one connection.
  if (headers['x-requested-with'] !== undefined || headers['sec-websocket-key'] !== undefined) return false;
  if (textOf(headers['content-type']).startsWith('application/grpc')) return false;
  const mode = textOf(headers['sec-fetch-mode']);
  if (mode !== '') return mode === 'navigate';
  const accept = textOf(headers['accept']);
  return (
    accept === '' || accept.includes('text/html') || accept.includes('application/xhtml') || accept.trim() === '*/*'
  );
}

function textOf(value: string | string[] | undefined): string {
  return (typeof value === 'string' ? value : (value?.[0] ?? '')).toLowerCase();
}
