/** Owns the connector `saml`: service-provider-initiated login over the HTTP POST binding (SAML Profiles §4.1). */
import type { X509Certificate } from 'node:crypto';
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';
import { markup } from '../../pages/markup.ts';
import type { Connector, ConnectorDeps, ConnectorType, Identity, LoginOutcome, PostedFinish } from '../connector.ts';
import { readResponse } from './read-response.ts';
import type { Assertion } from './read-response.ts';
import { readCertificates, samlSection } from './saml-config.ts';
import type { SamlConfig } from './saml-config.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { randomBytes, X509Certificate: Certificate } = process.getBuiltinModule('node:crypto');

export const saml: ConnectorType<SamlConfig> = {
  type: 'saml',
  schema: samlSection,
  open: (config, deps) => Promise.resolve(createSamlConnector(config, deps)),
};

interface SamlDeps {
  readonly certificates: readonly X509Certificate[] | undefined;
  readonly deps: ConnectorDeps;
}

function createSamlConnector(config: SamlConfig, deps: ConnectorDeps): Connector {
  if (config.insecureSkipSignatureValidation)
    deps.log.warn('signatures are not checked: anybody can log in as anybody');
  const certificates = config.insecureSkipSignatureValidation ? undefined : openCertificates(config);
  return {
    posted: {
      begin: ({ reauthenticate = false }) => {
        const id = `_${randomBytes(20).toString('hex')}`;
        const request = renderRequest(config, { id, nowMs: deps.clock.now(), forceAuthn: String(reauthenticate) });
        const fields = { SAMLRequest: Buffer.from(request).toString('base64') };
        return Promise.resolve({ action: config.ssoURL, fields, carried: { id }, returnTo: config.redirectURI });
      },
      finish: (request) => Promise.resolve(finish(config, { certificates, deps }, request)),
    },
    // SAML has no way to ask again without the browser: what was said at login stands until the refresh token ends.
    refresh: { refresh: (known) => Promise.resolve({ kind: 'authenticated', ...known }) },
  };
}

function openCertificates(config: SamlConfig): readonly X509Certificate[] {
  const certificates = readCertificates(config).map((pem) => new Certificate(pem));
  if (certificates.length === 0) throw misconfigured('no certificate in ca or caData');
  for (const { publicKey, subject } of certificates) {
    const weak = publicKey.asymmetricKeyType === 'rsa' && (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048;
    if (weak) throw misconfigured(`the key of the certificate "${subject}" is too short (less than 2048 bits)`);
  }
  return certificates;
}

interface RequestParts {
  readonly id: string;
  readonly nowMs: number;
  readonly forceAuthn: string;
}

/** SAML Core §3.4.1. */
function renderRequest(config: SamlConfig, { id, nowMs, forceAuthn }: RequestParts): string {
  const issueInstant = new Date(nowMs).toISOString();
  const issuer = config.entityIssuer === '' ? undefined : markup`<saml:Issuer>${config.entityIssuer}</saml:Issuer>`;
  return markup`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${issueInstant}" ForceAuthn="${forceAuthn}"
 Destination="${config.ssoURL}" AssertionConsumerServiceURL="${config.redirectURI}"
 ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST">${issuer}<samlp:NameIDPolicy
 Format="${config.nameIDPolicyFormat}" AllowCreate="true"/></samlp:AuthnRequest>`.text;
}

function finish(config: SamlConfig, { certificates, deps }: SamlDeps, { form, carried }: PostedFinish): LoginOutcome {
  const encoded = (form.get('SAMLResponse') ?? '').replaceAll(/\s/g, '');
  if (!/^[A-Za-z\d+/]+={0,2}$/.test(encoded)) throw failed('no SAMLResponse came');
  const { nowMs, requestId } = { nowMs: deps.clock.now(), requestId: carried['id'] ?? '' };
  const verdict = readResponse(Buffer.from(encoded, 'base64'), {
    signature: certificates && { certificates, allowSha1: config.insecureAllowSHA1, nowMs },
    destination: config.redirectURI,
    audience: config.entityIssuer || config.redirectURI,
    issuer: config.ssoIssuer,
    requestId,
    nowMs,
  });
  if (verdict.kind === 'refused') throw failed(verdict.reason);
  const outcome = toOutcome(config, verdict.assertion);
  if (outcome.kind === 'denied') return outcome;
  // The answer to a request, not the assertion: a provider that signs a second one for the same request gains nothing either.
  return { ...outcome, once: requestId };
}

function toOutcome(config: SamlConfig, { nameId, attributes }: Assertion): LoginOutcome {
  const { allowedGroups, filterGroups } = config;
  const all = groupsOf(config, attributes);
  if (allowedGroups.length > 0 && !all.some((group) => allowedGroups.includes(group)))
    return { kind: 'denied', reason: 'in none of the allowed groups', outsider: true };
  const identity: Identity = {
    userId: nameId,
    username: requireAttribute(attributes, config.usernameAttr),
    preferredUsername: '',
    email: requireAttribute(attributes, config.emailAttr),
    emailVerified: true,
    groups: filterGroups ? all.filter((group) => allowedGroups.includes(group)) : all,
  };
  return { kind: 'authenticated', identity };
}

function groupsOf({ groupsAttr, groupsDelim }: SamlConfig, attributes: Assertion['attributes']): readonly string[] {
  const values = groupsAttr === '' ? [] : (attributes.get(groupsAttr) ?? []);
  const groups = groupsDelim === '' ? values : values.flatMap((value) => value.split(groupsDelim));
  return groups.map((group) => group.trim()).filter((group) => group !== '');
}

function requireAttribute(attributes: Assertion['attributes'], name: string): string {
  const value = attributes.get(name)?.[0] ?? '';
  if (value !== '') return value;
  const there = [...attributes.keys()].join(', ').slice(0, 500);
  throw failed(`the response has no attribute "${name}"; it has: ${there.replaceAll(/[^\x20-\x7e]/g, '?')}`);
}

function failed(message: string): AppError {
  return new AppError(IDENTITY_ERRORS.connectorFailed, message);
}

function misconfigured(message: string): AppError {
  return new AppError(IDENTITY_ERRORS.connectorConfig, message);
}
