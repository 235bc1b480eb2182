/** Owns the conversation with the other provider; openid-client knows the protocol, this knows our settings. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type * as OpenidClient from 'openid-client';
import type { Configuration, ServerMetadata } from 'openid-client';
import type { OidcConfig } from './oidc-config.ts';

type Library = typeof OpenidClient;

export interface Upstream {
  readonly library: Library;
  readonly configuration: Configuration;
}

const TIMEOUT_SECONDS = 10;

/** Asks the provider what it is. Throws when it cannot be reached or calls itself something else. */
export async function discoverUpstream(config: OidcConfig): Promise<Upstream> {
  const library = await import('openid-client');
  const secret = config.clientSecret.reveal();
  const authentication =
    secret === ''
      ? library.None()
      : config.basicAuthUnsupported
        ? library.ClientSecretPost(secret)
        : library.ClientSecretBasic(secret);
  const ownTls = config.rootCAs.length > 0 || config.insecureSkipVerify;
  const plainHttp = config.issuer.startsWith('http:');
  const found = await library.discovery(new URL(config.issuer), config.clientID, undefined, authentication, {
    timeout: TIMEOUT_SECONDS,
    ...(ownTls ? { [library.customFetch]: tlsFetch(config) } : {}),
    execute: plainHttp ? [library.allowInsecureRequests] : [],
  });
  const metadata = withOverrides(found.serverMetadata(), config);
  const configuration = new library.Configuration(metadata, config.clientID, undefined, authentication);
  configuration.timeout = TIMEOUT_SECONDS;
  if (ownTls) configuration[library.customFetch] = tlsFetch(config);
  if (plainHttp) library.allowInsecureRequests(configuration);
  // By itself the library believes an ID token that came from the token endpoint over TLS (OpenID Connect Core §3.1.3.7, 6), which is
  // worth nothing over http and with insecureSkipVerify.
  library.enableNonRepudiationChecks(configuration);
  return { library, configuration };
}

function withOverrides(found: ServerMetadata, { issuerAlias, providerDiscoveryOverrides }: OidcConfig): ServerMetadata {
  const { tokenURL, authURL, jwksURL, userInfoURL, endSessionURL } = providerDiscoveryOverrides;
  return {
    ...found,
    ...(issuerAlias === '' ? {} : { issuer: issuerAlias }),
    ...(tokenURL === '' ? {} : { token_endpoint: tokenURL }),
    ...(authURL === '' ? {} : { authorization_endpoint: authURL }),
    ...(jwksURL === '' ? {} : { jwks_uri: jwksURL }),
    ...(endSessionURL === '' ? {} : { end_session_endpoint: endSessionURL }),
    ...(userInfoURL === '' ? {} : { userinfo_endpoint: userInfoURL }),
  };
}

interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>> | Headers;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null | undefined;
}

const MAX_ANSWER_BYTES = 1_048_576;

/** fetch with certificate authorities of one's own, which the global fetch cannot be given. */
function tlsFetch({
  rootCAs,
  insecureSkipVerify,
}: OidcConfig): (url: string, options: FetchOptions) => Promise<Response> {
  const ca = rootCAs.map(readAuthority);
  const agent = new Agent({
    keepAlive: true,
    rejectUnauthorized: !insecureSkipVerify,
    ...(ca.length > 0 ? { ca } : {}),
  });
  return (url, { method = 'GET', headers = {}, body, signal }) =>
    new Promise((resolve, reject) => {
      const plain = headers instanceof Headers ? Object.fromEntries(headers) : { ...headers };
      const outgoing = request(url, { method, agent, headers: plain, ...(signal ? { signal } : {}) }, (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) incoming.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        incoming.on('error', reject);
        incoming.on('end', () => {
          const status = incoming.statusCode ?? 502;
          const type = incoming.headers['content-type'] ?? '';
          resolve(
            new Response(status === 204 ? null : Buffer.concat(chunks), { status, headers: { 'content-type': type } }),
          );
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined || body === null ? undefined : String(body));
    });
}

function readAuthority(value: string): string {
  if (value.includes('-----BEGIN')) return value;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.includes('-----BEGIN') ? decoded : readFileSync(value, 'utf8');
}
