/**
 * Owns what happens to each incoming request header. Whoever is behind the gateway believes identity headers, so none that a client
 * sends gets there, in whatever spelling; hop-by-hop headers end here; what the gateway states itself is not taken from clients.
 */
import { isFieldName, ownCopy } from '@kfctl/http';

export type FieldAction =
  | 'forward'
  | 'drop'
  /** No header name at all (RFC 9110 section 5.1). */
  | 'refuse'
  | 'host'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'upgrade'
  | 'te'
  | 'expect'
  | 'cookie'
  | 'x-forwarded';

export interface FieldRule {
  /** Lower-case. */
  readonly name: string;
  readonly action: FieldAction;
}

export interface FieldRules {
  /** The rule for a name as it was sent. */
  of(rawName: string): FieldRule;
  /** The header says who the user is: nobody but an authorizer may set it, VirtualServices neither. */
  isIdentity(name: string): boolean;
}

const OWN_ACTION: ReadonlyMap<string, FieldAction> = new Map([
  ['host', 'host'],
  ['content-length', 'content-length'],
  ['transfer-encoding', 'transfer-encoding'],
  ['connection', 'connection'],
  ['upgrade', 'upgrade'],
  ['te', 'te'],
  ['expect', 'expect'],
  ['cookie', 'cookie'],
  ['x-forwarded-for', 'x-forwarded'],
  ['x-forwarded-proto', 'x-forwarded'],
]);

/** RFC 9110 section 7.6.1 and its predecessors. */
const HOP_BY_HOP = [
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'trailer',
  'http2-settings',
];

/** What applications, and the proxies in front of them, read as "this is the user" or "this was the request". */
const WELL_KNOWN = [
  'kubeflow-userid',
  'kubeflow-groups',
  'kubeflow-assertion',
  'auth-method',
  'remote-user',
  'remote-groups',
  'remote-name',
  'remote-email',
  'x-remote-user',
  'x-remote-group',
  'x-remote-groups',
  'x-webauth-user',
  'x-forwarded-user',
  'x-forwarded-groups',
  'x-forwarded-email',
  'x-forwarded-preferred-username',
  'x-forwarded-access-token',
  'x-auth-request-user',
  'x-auth-request-groups',
  'x-auth-request-email',
  'x-auth-request-preferred-username',
  'x-auth-request-access-token',
  'x-auth-request-redirect',
  'x-goog-authenticated-user-email',
  'x-goog-authenticated-user-id',
  'x-goog-iap-jwt-assertion',
  'x-amzn-oidc-data',
  'x-amzn-oidc-identity',
  'x-ms-client-principal',
  'x-ms-client-principal-name',
  'x-forwarded-client-cert',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-scheme',
  'x-forwarded-ssl',
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-forwarded-path',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-scheme',
  'x-url-scheme',
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-original-host',
  'x-original-forwarded-for',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-host',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'forwarded',
  'front-end-https',
  'proxy',
  'x-request-id',
  'x-accel-redirect',
  'x-sendfile',
];

const ALWAYS_IDENTITY = ['kubeflow-userid', 'kubeflow-groups', 'kubeflow-assertion'];

const DROPPED_PREFIXES = ['x-envoy-', 'x-remote-extra-', 'x-istio-', 'x-b3-istio-'];

const MAX_REMEMBERED = 4096;

/**
 * The rules for clients of this gateway; `identityNames` (lower-case; `prefix*` allowed) are the headers that authorizers may set.
 * Names are judged by their letters and digits alone: CGI, WSGI and PHP applications cannot tell `Kubeflow_UserID` from `kubeflow-userid`.
 */
export function createFieldRules(identityNames: Iterable<string>): FieldRules {
  const identity = [...identityNames];
  const dropped = new Set(
    [...HOP_BY_HOP, ...WELL_KNOWN, ...identity.filter((name) => !name.endsWith('*'))].map(canonical),
  );
  const identityPrefixes = identity.filter((name) => name.endsWith('*')).map((name) => canonical(name.slice(0, -1)));
  const prefixes = [...DROPPED_PREFIXES, ...identityPrefixes];
  const identityKeys = new Set([...ALWAYS_IDENTITY, ...identity].map(canonical));
  const remembered = new Map<string, FieldRule>();
  return {
    isIdentity: (name) =>
      identityKeys.has(canonical(name)) || identityPrefixes.some((prefix) => canonical(name).startsWith(prefix)),
    of(rawName) {
      const known = remembered.get(rawName);
      if (known !== undefined) return known;
      const rule = judge(ownCopy(rawName.toLowerCase()), dropped, prefixes);
      // Names come from clients: the memory of them is bounded.
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(ownCopy(rawName), rule);
      return rule;
    },
  };
}

function judge(name: string, dropped: ReadonlySet<string>, prefixes: readonly string[]): FieldRule {
  if (!isFieldName(name)) return { name, action: 'refuse' };
  const own = OWN_ACTION.get(name);
  if (own !== undefined) return { name, action: own };
  const key = canonical(name);
  const isMisspelled = key !== name && (OWN_ACTION.has(key) || key === 'authorization');
  const isDropped = isMisspelled || dropped.has(key) || prefixes.some((prefix) => key.startsWith(prefix));
  return { name, action: isDropped ? 'drop' : 'forward' };
}

function canonical(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
}
