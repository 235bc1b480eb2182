/** Owns how this client authenticates to the provider's endpoints (RFC 6749 §2.3.1). */
import type { Secret } from '@kfctl/core';
import type { ProviderMetadata } from '../provider/metadata.ts';

export interface ClientSettings {
  readonly clientId: string;
  readonly clientSecret: Secret;
}

export interface ClientCredentials {
  readonly headers: Readonly<Record<string, string>>;
  /** Fields to add to the form. */
  readonly form: Readonly<Record<string, string>>;
}

/** HTTP Basic with both halves form-encoded, or the form where the provider takes nothing else. */
export function clientCredentials(
  { clientId, clientSecret }: ClientSettings,
  { clientSecretInForm }: Pick<ProviderMetadata, 'clientSecretInForm'>,
): ClientCredentials {
  if (clientSecretInForm) return { headers: {}, form: { client_id: clientId, client_secret: clientSecret.reveal() } };
  const pair = `${formEncode(clientId)}:${formEncode(clientSecret.reveal())}`;
  return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, form: {} };
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}
