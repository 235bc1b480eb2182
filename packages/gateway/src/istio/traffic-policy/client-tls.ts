/** Owns reading of `trafficPolicy.tls`: how the gateway proves itself to a destination, and whom it believes there. */
import type { Fields } from '../fields.ts';

export type ClientTls =
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'tls';
      readonly credential: TlsCredential;
      /** Undefined: the destination's host. */
      readonly sni: string | undefined;
      /** One of these must be in the certificate; none: the server name must. */
      readonly subjectAltNames: readonly string[];
      readonly insecureSkipVerify: boolean;
    };

/** Where certificates are: nowhere (the system's authorities), a Secret of the gateway's namespace, or files of the pod. */
export type TlsCredential =
  | { readonly kind: 'system' }
  | { readonly kind: 'secret'; readonly name: string; readonly mutual: boolean }
  | {
      readonly kind: 'files';
      readonly certificate: string | undefined;
      readonly key: string | undefined;
      readonly authorities: string | undefined;
    };

const PLAIN: ClientTls = { kind: 'plain' };

export function parseClientTls(fields: Fields | undefined): ClientTls | undefined {
  if (fields === undefined) return undefined;
  const mode = fields.string('mode') ?? 'DISABLE';
  switch (mode) {
    case 'DISABLE':
      ignoreDetails(fields);
      return PLAIN;
    case 'ISTIO_MUTUAL':
      // Certificates of a mesh, which is not there where this gateway serves: its workloads have no sidecar and speak plain text.
      fields.note('mode', 'ISTIO_MUTUAL is plain text here: there is no mesh');
      ignoreDetails(fields);
      return PLAIN;
    case 'SIMPLE':
    case 'MUTUAL':
      return parseTls(fields, mode === 'MUTUAL');
    default:
      fields.problem('mode', `"${mode}" is not known`);
      return undefined;
  }
}

function ignoreDetails(fields: Fields): void {
  fields.ignore('clientCertificate', 'privateKey', 'caCertificates', 'credentialName', 'caCrl');
  fields.ignore('sni', 'subjectAltNames', 'insecureSkipVerify');
  fields.done();
}

function parseTls(fields: Fields, mutual: boolean): ClientTls {
  const tls: ClientTls = {
    kind: 'tls',
    credential: parseCredential(fields, mutual),
    sni: fields.string('sni')?.toLowerCase() || undefined,
    subjectAltNames: fields.strings('subjectAltNames') ?? [],
    insecureSkipVerify: fields.boolean('insecureSkipVerify') ?? false,
  };
  fields.done();
  const names = tls.subjectAltNames.length;
  if (tls.insecureSkipVerify && names > 0) fields.problem('insecureSkipVerify', 'excludes subjectAltNames');
  return tls;
}

function parseCredential(fields: Fields, mutual: boolean): TlsCredential {
  const secret = fields.string('credentialName');
  const certificate = fields.string('clientCertificate');
  const key = fields.string('privateKey');
  const authorities = fields.string('caCertificates');
  const hasFiles = certificate !== undefined || key !== undefined || authorities !== undefined;
  if (secret !== undefined) {
    if (hasFiles) fields.problem('credentialName', 'excludes clientCertificate, privateKey and caCertificates');
    return { kind: 'secret', name: secret, mutual };
  }
  if (mutual && (certificate === undefined || key === undefined)) {
    fields.problem('clientCertificate', 'is required with privateKey for MUTUAL (or credentialName)');
  }
  if (!mutual && (certificate !== undefined || key !== undefined)) {
    fields.problem('mode', 'SIMPLE shows no certificate: use MUTUAL, or leave clientCertificate and privateKey out');
  }
  return hasFiles ? { kind: 'files', certificate, key, authorities } : { kind: 'system' };
}
