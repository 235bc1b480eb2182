/** Owns the settings of the connector `saml`: Dex's, and one of ours (insecureAllowSHA1). */
import { readFileSync } from 'node:fs';
import { object } from '../../config/object-shape.ts';
import { boolean, mapped, refine, string } from '../../config/shape.ts';
import type { Shape } from '../../config/shape.ts';
import { text, texts, withUrls } from '../oauth2/oauth2-settings.ts';

export interface SamlConfig {
  readonly ssoURL: string;
  readonly redirectURI: string;
  readonly ca: string;
  readonly caData: string;
  readonly insecureSkipSignatureValidation: boolean;
  readonly insecureAllowSHA1: boolean;
  readonly entityIssuer: string;
  readonly ssoIssuer: string;
  readonly usernameAttr: string;
  readonly emailAttr: string;
  readonly groupsAttr: string;
  readonly groupsDelim: string;
  readonly allowedGroups: readonly string[];
  readonly filterGroups: boolean;
  readonly nameIDPolicyFormat: string;
}

const FORMATS: Readonly<Record<string, string>> = {
  emailaddress: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  unspecified: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
  x509subjectname: 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName',
  windowsdomainqualifiedname: 'urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName',
  encrypted: 'urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted',
  entity: 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity',
  kerberos: 'urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos',
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
};

const section: Shape<SamlConfig> = object('A SAML 2.0 identity provider, by the HTTP POST binding.', {
  ssoURL: string('Where the identity provider takes requests (HTTP-POST).', { required: true }),
  redirectURI: string('Our own callback as registered there: <issuer>/callback.', { required: true }),
  ca: text('File (PEM) with the certificates that the identity provider signs with.'),
  caData: text('The same certificates as text: PEM, or base64 of it.'),
  insecureSkipSignatureValidation: boolean('Believe unsigned responses. Anybody can then log in as anybody.'),
  insecureAllowSHA1: boolean('Accept signatures over SHA-1, which can be forged at some expense.'),
  entityIssuer: text('Our name there (entity ID): sent with requests, and the audience responses must have.'),
  ssoIssuer: text('The name (entity ID) of the identity provider, which responses must carry; empty accepts any.'),
  usernameAttr: string('The attribute with the name.', { required: true }),
  emailAttr: string('The attribute with the e-mail address.', { required: true }),
  groupsAttr: text('The attribute with the groups; without it there are none.'),
  groupsDelim: text('What stands between groups when they come in one value.'),
  allowedGroups: texts('Only members of one of these may log in.'),
  filterGroups: boolean('Only groups of allowedGroups are passed on.'),
  nameIDPolicyFormat: text('The kind of id asked for: a short name such as `emailAddress`, or a URN.', 'persistent'),
});

const checked = refine(section, (saml, complain) => {
  const { ca, caData, insecureSkipSignatureValidation: skips, nameIDPolicyFormat: format } = saml;
  if (ca === '' && caData === '' && !skips)
    complain('', 'has no certificate to check signatures with', 'Give ca (a file) or caData.');
  if (ca !== '' && caData !== '') complain('caData', 'is given together with ca', 'Keep one of them.');
  if (!format.includes(':') && FORMATS[format.toLowerCase()] === undefined)
    complain('nameIDPolicyFormat', `is "${format}"`, 'Use persistent, emailAddress, transient, unspecified or a URN.');
  if (saml.filterGroups && saml.allowedGroups.length === 0)
    complain('filterGroups', 'has nothing to filter by', 'Give allowedGroups.');
});

export const samlSection: Shape<SamlConfig> = mapped(withUrls(checked, 'ssoURL', 'redirectURI'), (saml) => ({
  ...saml,
  nameIDPolicyFormat: FORMATS[saml.nameIDPolicyFormat.toLowerCase()] ?? saml.nameIDPolicyFormat,
}));

/** The PEM text that `ca` or `caData` stands for. */
export function readCertificates({ ca, caData }: SamlConfig): readonly string[] {
  const given = caData === '' ? readFileSync(ca, 'utf8') : caData;
  const pem = given.includes('-----BEGIN') ? given : Buffer.from(given, 'base64').toString('utf8');
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
