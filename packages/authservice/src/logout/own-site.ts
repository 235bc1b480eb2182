/** Owns the question whether a page of this very site made a request: the defence against pages elsewhere that log people out. */
import type { IncomingHttpHeaders } from 'node:http';

/**
 * `own`: a page of this origin, or the person's own hand. `foreign`: another site, or one that shares the domain only.
 * `unknown`: the client says nothing; all current browsers do, at least on POST, so it is an old one or no browser.
 */
export type Initiator = 'own' | 'foreign' | 'unknown';

/** Fetch Metadata first (no page can forge it), then Origin, then Referer, compared with the authority that was asked. */
export function initiatorOf(headers: IncomingHttpHeaders): Initiator {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none' ? 'own' : 'foreign';
  const source = headers.origin ?? headers.referer;
  if (source === undefined) return 'unknown';
  const host = URL.parse(source)?.host;
  return host !== undefined && host !== '' && host === hostOf(headers) ? 'own' : 'foreign';
}

/** The authority as URLs write it: lower case, without the port that https implies. */
function hostOf({ host = '' }: IncomingHttpHeaders): string | undefined {
  return URL.parse(`https://${host}`)?.host;
}
