/** Owns the refusal of forms that another site sends (Fetch Metadata). Clients that are no browsers send no such header. */
import type { HttpRequest } from '@kfctl/http';
import { pageError } from '../pages/error-page.ts';

export function requireSameSite(request: HttpRequest): void {
  if (request.headers['sec-fetch-site'] === 'cross-site') {
    throw pageError(403, 'This form was sent by another site.', { message: 'cross-site form refused' });
  }
}
