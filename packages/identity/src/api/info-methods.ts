/** Owns the methods about the provider itself. */
import { discoveryDocument } from '../discovery/discovery-endpoint.ts';
import { method } from './api-method.ts';
import type { ApiDeps, ApiMethod } from './api-method.ts';
import type { Message } from './message.ts';

// Numbers are Dex's, here and in docs/reference/dex-api.proto, which other programs are given.
const versionResp = { server: [1, 'string'], api: [2, 'int'] } as const satisfies Message;
const discoveryResp = {
  issuer: [1, 'string'],
  authorizationEndpoint: [2, 'string'],
  tokenEndpoint: [3, 'string'],
  jwksUri: [4, 'string'],
  userinfoEndpoint: [5, 'string'],
  deviceAuthorizationEndpoint: [6, 'string'],
  introspectionEndpoint: [7, 'string'],
  grantTypesSupported: [8, 'strings'],
  responseTypesSupported: [9, 'strings'],
  subjectTypesSupported: [10, 'strings'],
  idTokenSigningAlgValuesSupported: [11, 'strings'],
  codeChallengeMethodsSupported: [12, 'strings'],
  scopesSupported: [13, 'strings'],
  tokenEndpointAuthMethodsSupported: [14, 'strings'],
  claimsSupported: [15, 'strings'],
} as const satisfies Message;

/** Of Dex since it has methods about sessions: what clients judge by which methods there are. */
const API_VERSION = 4;

export function infoMethods({ config, keys }: ApiDeps, version: string): Readonly<Record<string, ApiMethod>> {
  return {
    GetVersion: method({
      request: {},
      response: versionResp,
      answer: () => ({ server: version, api: API_VERSION }),
    }),
    GetDiscovery: method({
      request: {},
      response: discoveryResp,
      answer: () => {
        const document = discoveryDocument(config(), keys.current().signingKey.alg);
        return {
          issuer: document.issuer,
          authorizationEndpoint: document.authorization_endpoint,
          tokenEndpoint: document.token_endpoint,
          jwksUri: document.jwks_uri,
          userinfoEndpoint: document.userinfo_endpoint,
          deviceAuthorizationEndpoint: document.device_authorization_endpoint,
          introspectionEndpoint: document.introspection_endpoint,
          grantTypesSupported: document.grant_types_supported,
          responseTypesSupported: document.response_types_supported,
          subjectTypesSupported: document.subject_types_supported,
          idTokenSigningAlgValuesSupported: document.id_token_signing_alg_values_supported,
          codeChallengeMethodsSupported: document.code_challenge_methods_supported,
          scopesSupported: document.scopes_supported,
          tokenEndpointAuthMethodsSupported: document.token_endpoint_auth_methods_supported,
          claimsSupported: document.claims_supported,
        };
      },
    }),
  };
}
