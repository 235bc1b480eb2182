/** Owns the documents outside of resources: health, version, key discovery; and the order in which documents are looked up. */
import type { ApiAnswer, ApiRequest } from '../api/api-request.ts';
import type { TokenIssuer } from '../auth/service-account-tokens.ts';
import { discoveryAnswer } from './documents.ts';
import type { DiscoveryDeps } from './documents.ts';
import { openApiAnswer } from './openapi-documents.ts';

export interface DocumentDeps extends DiscoveryDeps {
  readonly tokens: TokenIssuer;
}

/** What we claim to be: clients choose features by it. */
export const SERVER_VERSION: Readonly<Record<string, string>> = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+kfctl',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2025-04-23T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};

const HEALTH = /^\/(healthz|livez|readyz)(?:\/.*)?$/;

export async function serverDocument(deps: DocumentDeps, request: ApiRequest): Promise<ApiAnswer | undefined> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  const { path } = request;
  if (HEALTH.test(path)) return healthAnswer(path, request.query);
  if (path === '/version' || path === '/version/') return { status: 200, body: SERVER_VERSION };
  if (path === '/openid/v1/jwks')
    return {
      status: 200,
      headers: { 'content-type': 'application/jwk-set+json' },
      text: JSON.stringify(deps.tokens.keySet()),
    };
  if (path === '/.well-known/openid-configuration') return { status: 200, body: openIdConfiguration(deps) };
  if (path === '/')
    return {
      status: 200,
      body: { paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'] },
    };
  return (await openApiAnswer(deps.definitions, request)) ?? discoveryAnswer(deps, request);
}

function healthAnswer(path: string, query: URLSearchParams): ApiAnswer {
  const name = path.split('/')[1] ?? '';
  const text = query.has('verbose') ? `[+]ping ok\n${name} check passed\n` : 'ok';
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, text };
}

function openIdConfiguration({ tokens, address }: DocumentDeps): unknown {
  return {
    issuer: tokens.issuer,
    jwks_uri: `https://${address}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
}
