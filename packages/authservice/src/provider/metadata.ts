/** Owns what we take from a provider's discovery document (OpenID Connect Discovery 1.0). */
import { providerFailed } from '../errors.ts';
import { requireJsonObject } from './provider-http.ts';
import type { ProviderHttp } from './provider-http.ts';

export interface ProviderMetadata {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly userinfoEndpoint: string | undefined;
  readonly revocationEndpoint: string | undefined;
  readonly endSessionEndpoint: string | undefined;
  readonly introspectionEndpoint: string | undefined;
  /** The provider takes client credentials in the form only, not as HTTP Basic. */
  readonly clientSecretInForm: boolean;
  /** RFC 9207: answers to authorization requests name their issuer. */
  readonly namesIssuerInAnswers: boolean;
}

/** Fetches and judges the document; throws PROVIDER_FAILED with what is wrong. */
export async function fetchMetadata(issuer: string, http: ProviderHttp): Promise<ProviderMetadata> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = requireJsonObject(await http.send({ url }), 'the discovery document');
  // Discovery §4.3: the issuer must be exactly the one that was asked, or somebody else answers.
  if (document['issuer'] !== issuer) {
    throw providerFailed(`the discovery document is of another issuer: ${JSON.stringify(document['issuer'])}`);
  }
  const optional = (name: string): string | undefined => readEndpoint(document[name], issuer);
  const required = (name: string): string => {
    const value = optional(name);
    if (value === undefined) throw providerFailed(`the discovery document has no usable ${name}`);
    return value;
  };
  const methods = document['token_endpoint_auth_methods_supported'];
  return {
    issuer,
    authorizationEndpoint: required('authorization_endpoint'),
    tokenEndpoint: required('token_endpoint'),
    jwksUri: required('jwks_uri'),
    userinfoEndpoint: optional('userinfo_endpoint'),
    revocationEndpoint: optional('revocation_endpoint'),
    endSessionEndpoint: optional('end_session_endpoint'),
    introspectionEndpoint: optional('introspection_endpoint'),
    // Discovery §3: client_secret_basic is the default where the list is absent.
    clientSecretInForm: Array.isArray(methods) && !methods.includes('client_secret_basic'),
    namesIssuerInAnswers: document['authorization_response_iss_parameter_supported'] === true,
  };
}

/** An absolute address that is not weaker than the issuer's: nothing is sent in clear that the issuer would not get in clear. */
function readEndpoint(value: unknown, issuer: string): string | undefined {
  if (typeof value !== 'string') return undefined;
  const protocol = URL.parse(value)?.protocol;
  if (protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'))) return value;
  return undefined;
}
