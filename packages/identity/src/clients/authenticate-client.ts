/** Owns client authentication at the token endpoint (RFC 6749 §2.3.1): HTTP Basic or the form, never both. */
import { constantTimeEqual } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import { refuse, TokenRefusal } from '../token/token-error.ts';
import type { Client, FindClient } from './find-client.ts';

interface Credentials {
  readonly id: string;
  readonly secret: string;
}

/** The client that proved itself, or the refusal; unknown ids and wrong secrets look alike. */
export async function authenticateClient(
  request: Pick<HttpRequest, 'headers'>,
  form: URLSearchParams,
  find: FindClient,
): Promise<Client | TokenRefusal> {
  const basic = readBasic(request.headers.authorization);
  if (basic instanceof TokenRefusal) return basic;
  if (basic !== undefined && form.get('client_secret') !== null) {
    return refuse('invalid_request', 'Use one way of client authentication only.');
  }
  const given = basic ?? { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
  const client = await find(given.id);
  // The comparison happens for unknown clients too.
  const matches = constantTimeEqual(given.secret, client?.secret.reveal() ?? '');
  if (client === undefined || !matches || !isAllowedWithoutSecret(client)) return invalidClient();
  return client;
}

export function invalidClient(): TokenRefusal {
  return refuse('invalid_client', 'Invalid client credentials.', 401);
}

// A confidential client whose secret is empty is a mistake, not an invitation.
function isAllowedWithoutSecret(client: Client): boolean {
  return client.public || client.secret.reveal() !== '';
}

/** Both halves are form-urlencoded inside the base64 (RFC 6749 §2.3.1). */
function readBasic(header: string | undefined): Credentials | TokenRefusal | undefined {
  const match = /^basic +([A-Za-z0-9+/_=-]+)$/i.exec(header ?? '');
  if (match === null) return undefined;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const id = formDecode(text.slice(0, Math.max(colon, 0)));
  const secret = formDecode(text.slice(colon + 1));
  if (colon < 0 || id === undefined || secret === undefined) return invalidClient();
  return { id, secret };
}

function formDecode(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
