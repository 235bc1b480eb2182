/** Owns reading of networking.istio.io Gateway objects. */
import type { UnknownObject } from '@kfctl/kube';
import { Fields } from './fields.ts';
import type { Problems } from './fields.ts';
import { objectKey } from './object-key.ts';

export interface GatewayModel {
  readonly key: string;
  readonly namespace: string;
  readonly selector: ReadonlyMap<string, string>;
  readonly servers: readonly GatewayServer[];
}

export interface GatewayServer {
  readonly port: number;
  readonly tls: ServerTls | undefined;
  readonly httpsRedirect: boolean;
  readonly hosts: readonly ServerHost[];
}

/** `namespace` is the namespace whose VirtualServices may use the host; undefined means any. */
export interface ServerHost {
  readonly namespace: string | undefined;
  readonly host: string;
}

/** Where the certificate is: a Secret of the gateway's namespace, or files mounted into the pod. */
export type ServerTls =
  | { readonly kind: 'secret'; readonly name: string; readonly minVersion: TlsVersion }
  | { readonly kind: 'files'; readonly certificate: string; readonly key: string; readonly minVersion: TlsVersion };

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

const PORT = { min: 1, max: 65_535 };
const PLAIN = new Set(['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB']);

/** The servers of a Gateway object; problems name fields that are wrong or not supported. */
export function parseGateway(object: UnknownObject, problems: Problems, notes: string[] = []): GatewayModel {
  const namespace = object.metadata.namespace ?? '';
  const spec = new Fields(object['spec'], 'spec', { problems, notes });
  const selector = spec.stringMap('selector') ?? new Map<string, string>();
  const servers = (spec.children('servers') ?? []).flatMap((fields) => parseServer(fields, namespace) ?? []);
  spec.done();
  return { key: objectKey(object), namespace, selector, servers };
}

function parseServer(fields: Fields, namespace: string): GatewayServer | undefined {
  const port = fields.child('port');
  const number = port?.integer('number', PORT);
  const protocol = port?.requiredString('protocol').toUpperCase() ?? '';
  port?.ignore('name', 'targetPort');
  port?.done();
  const hosts = (fields.strings('hosts') ?? []).map((host) => parseHost(host, namespace));
  const tls = fields.child('tls');
  const httpsRedirect = tls?.boolean('httpsRedirect') ?? false;
  const isHttps = protocol === 'HTTPS';
  if (!isHttps && !PLAIN.has(protocol)) fields.problem('port.protocol', `"${protocol}" is not supported`);
  const serverTls = isHttps ? parseTls(fields, tls) : undefined;
  if (!isHttps) tls?.ignore('mode');
  tls?.done();
  fields.ignore('name');
  fields.withoutEffect('defaultEndpoint', 'no effect: it is for sidecars');
  fields.withoutEffect('bind', 'no effect: the gateway listens where its settings say');
  fields.done();
  if (hosts.length === 0) fields.problem('hosts', 'is required');
  if (number === undefined) fields.problem('port.number', 'is required');
  if (number === undefined || (isHttps && serverTls === undefined)) return undefined;
  return { port: number, tls: serverTls, httpsRedirect, hosts };
}

function parseTls(server: Fields, tls: Fields | undefined): ServerTls | undefined {
  if (tls === undefined) {
    server.problem('tls', 'is required for HTTPS');
    return undefined;
  }
  const mode = tls.string('mode') ?? 'PASSTHROUGH';
  if (mode !== 'SIMPLE') tls.problem('mode', `"${mode}" is not supported; use SIMPLE`);
  const minVersion = parseMinVersion(tls);
  const name = tls.string('credentialName');
  const certificate = tls.string('serverCertificate');
  const key = tls.string('privateKey');
  tls.withoutEffect('maxProtocolVersion', 'no effect: TLS 1.3 is always offered');
  tls.withoutEffect('cipherSuites', 'no effect: the suites are those of Node');
  if (name !== undefined) return { kind: 'secret', name, minVersion };
  if (certificate !== undefined && key !== undefined) return { kind: 'files', certificate, key, minVersion };
  tls.problem('credentialName', 'is required (or serverCertificate and privateKey)');
  return undefined;
}

function parseMinVersion(tls: Fields): TlsVersion {
  const version = tls.string('minProtocolVersion') ?? 'TLS_AUTO';
  if (version === 'TLSV1_3') return 'TLSv1.3';
  if (!['TLS_AUTO', 'TLSV1_2'].includes(version)) tls.problem('minProtocolVersion', 'is older than TLSV1_2');
  return 'TLSv1.2';
}

/** `host`, `namespace/host`, `./host` or `* /host` (without the space). */
function parseHost(text: string, ownNamespace: string): ServerHost {
  const slash = text.indexOf('/');
  const host = text.slice(slash + 1).toLowerCase();
  if (slash < 0) return { namespace: undefined, host };
  const namespace = text.slice(0, slash);
  if (namespace === '*') return { namespace: undefined, host };
  return { namespace: namespace === '.' ? ownNamespace : namespace, host };
}
