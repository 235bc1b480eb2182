/** Owns reading of networking.istio.io DestinationRule objects: how the gateway speaks to the service behind a host. */
import type { UnknownObject } from '@kfctl/kube';
import { parseServiceHost, serviceHost } from '../upstream/service-host.ts';
import { Fields } from './fields.ts';
import type { Problems } from './fields.ts';
import { objectKey } from './object-key.ts';
import { parseTrafficPolicy } from './traffic-policy/traffic-policy.ts';
import type { TrafficPolicy } from './traffic-policy/traffic-policy.ts';

export interface DestinationRuleModel {
  readonly key: string;
  readonly namespace: string;
  /** Lower-case; short names are completed with the rule's namespace. May be a wildcard: `*.ns.svc.cluster.local` or `*`. */
  readonly host: string;
  /** Namespaces it is visible in; undefined means all. */
  readonly exportTo: readonly string[] | undefined;
  /** Labels of the clients of its namespace that it is for; undefined means all clients. */
  readonly clients: ReadonlyMap<string, string> | undefined;
  readonly policy: TrafficPolicy | undefined;
  readonly subsets: ReadonlyMap<string, Subset>;
  /** It asks for TLS in a way that nobody can follow: nothing goes there, because it would go in the clear. */
  readonly isUnsafe?: true;
  readonly object: UnknownObject;
}

export interface Subset {
  /** Of the pods that belong to it. */
  readonly labels: ReadonlyMap<string, string>;
  readonly policy: TrafficPolicy | undefined;
}

const MAX_SUBSETS = 100;

/** The rule; problems name fields that are wrong or not supported. */
export function parseDestinationRule(
  object: UnknownObject,
  problems: Problems,
  notes: string[] = [],
): DestinationRuleModel {
  const namespace = object.metadata.namespace ?? '';
  const spec = new Fields(object['spec'], 'spec', { problems, notes });
  const host = spec.requiredString('host').toLowerCase();
  const exportTo = spec.strings('exportTo')?.map((item) => (item === '.' ? namespace : item));
  const selector = spec.child('workloadSelector');
  const clients = selector === undefined ? undefined : (selector.stringMap('matchLabels') ?? new Map());
  selector?.done();
  const policy = parseTrafficPolicy(spec.child('trafficPolicy'));
  const subsets = parseSubsets(spec);
  spec.done();
  return {
    key: objectKey(object),
    namespace,
    host: completeHost(host, namespace),
    exportTo: exportTo?.includes('*') === true ? undefined : exportTo,
    clients,
    policy,
    subsets,
    object,
  };
}

/** What a broken rule that never was whole still says: undefined where its service may be spoken to as if there were no rule. */
export function unsafeRule(object: UnknownObject): DestinationRuleModel | undefined {
  const spec = object['spec'];
  if (!asksForTls(spec) || typeof (spec as { host?: unknown }).host !== 'string') return undefined;
  const { host } = spec as { host: string };
  const bare: UnknownObject = { ...object, spec: { host } };
  return { ...parseDestinationRule(bare, []), isUnsafe: true };
}

/** The modes that mean plain text here; any other, a misspelt one too, was meant to protect. */
const PLAIN = ['DISABLE', 'ISTIO_MUTUAL'];

function asksForTls(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => (key === 'tls' ? !isPlain(inner) : asksForTls(inner)));
}

function isPlain(tls: unknown): boolean {
  const mode = typeof tls === 'object' && tls !== null ? (tls as { mode?: unknown }).mode : tls;
  return typeof mode === 'string' && PLAIN.includes(mode);
}

function parseSubsets(spec: Fields): ReadonlyMap<string, Subset> {
  const subsets = new Map<string, Subset>();
  for (const fields of spec.children('subsets') ?? []) {
    const name = fields.requiredString('name');
    const labels = fields.stringMap('labels') ?? new Map<string, string>();
    const policy = parseTrafficPolicy(fields.child('trafficPolicy'));
    fields.done();
    if (subsets.has(name)) fields.problem('name', `"${name}" is taken`);
    subsets.set(name, { labels, policy });
  }
  if (subsets.size > MAX_SUBSETS) spec.problem('subsets', `are more than ${MAX_SUBSETS}`);
  return subsets;
}

/** Every way to write a service's host, in its full form; Istio knows no cluster domain but one for each mesh. */
function completeHost(host: string, namespace: string): string {
  if (host.includes('*')) return host;
  const ref = parseServiceHost(host, namespace);
  return ref === undefined ? host : serviceHost(ref);
}
