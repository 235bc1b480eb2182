/** Looks at the virtual services: that the platform's are there, hang on a gateway that exists, and lead to something that serves. */
import type { KubeClient, UnknownObject } from '@kfctl/kube';
import { ANY_VERSION, createTypeFinder } from '../../plan/plan.ts';
import type { Check } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { readyEndpoints } from '../ready-endpoints.ts';

const GROUP = 'networking.istio.io';
/** Without these there is no way to log in and no dashboard. */
const WANTED = ['kubeflow/centraldashboard', 'kubeflow/dex', 'kubeflow/kfam', 'istio-system/authservice'];

interface RouteSpec {
  readonly gateways?: readonly string[];
  readonly http?: readonly { readonly route?: readonly { readonly destination?: { readonly host?: string } }[] }[];
}

export const routeCheck: Check = {
  name: 'routes',
  title: 'Virtual services',
  look: async ({ client }) => {
    const types = await createTypeFinder(client);
    const type = types(`${GROUP}/${ANY_VERSION}`, 'VirtualService');
    const gatewayType = types(`${GROUP}/${ANY_VERSION}`, 'Gateway');
    if (type === undefined || gatewayType === undefined) {
      const finding = 'the cluster does not know them: the CRDs of networking.istio.io are missing';
      return [{ level: 'problem', subject: 'VirtualService', finding, evidence: [], next: 'kfctl apply all' }];
    }
    const routes = new Map((await client.list(type)).items.map((object) => [placeOf(object), object]));
    const gateways = new Set((await client.list(gatewayType)).items.map(placeOf));
    const missing = WANTED.filter((place) => !routes.has(place)).map(explainMissing);
    const wrong: Finding[] = [];
    for (const [place, route] of routes) wrong.push(...(await explainRoute(client, { place, route, gateways })));
    if (missing.length + wrong.length > 0) return [...missing, ...wrong];
    return [ok('VirtualService', `${[...routes.keys()].join(', ')} lead to services that serve`)];
  },
};

function placeOf({ metadata }: UnknownObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function explainMissing(place: string): Finding {
  const [namespace] = place.split('/');
  return {
    level: 'problem',
    subject: `VirtualService ${place}`,
    finding: 'does not exist: kfctl has ended before it was through',
    evidence: [`kubectl get virtualservices -n ${namespace ?? ''} does not list it`],
    next: 'kfctl apply all',
  };
}

interface Route {
  readonly place: string;
  readonly route: UnknownObject;
  readonly gateways: ReadonlySet<string>;
}

async function explainRoute(client: KubeClient, { place, route, gateways }: Route): Promise<readonly Finding[]> {
  const subject = `VirtualService ${place}`;
  const { namespace = '' } = route.metadata;
  const spec = (route['spec'] ?? {}) as RouteSpec;
  const next = `kubectl get virtualservice -n ${namespace} ${route.metadata.name ?? ''} -o yaml`;
  const hung = (spec.gateways ?? []).map((name) => (name.includes('/') ? name : `${namespace}/${name}`));
  const findings: Finding[] = [];
  const lost = hung.filter((name) => name !== `${namespace}/mesh` && !gateways.has(name));
  if (lost.length > 0) {
    const evidence = [`gateways that exist: ${[...gateways].join(', ') || 'none'}`];
    findings.push({
      level: 'problem',
      subject,
      finding: `names a gateway that does not exist: ${lost.join(', ')}`,
      evidence,
      next,
    });
  }
  const hosts = new Set(
    (spec.http ?? []).flatMap((rule) => (rule.route ?? []).flatMap(({ destination }) => destination?.host ?? [])),
  );
  for (const host of hosts) {
    const reason = await readyEndpoints(client, host, namespace);
    if (reason.kind === 'serves') continue;
    // A notebook that is stopped is no fault of the platform.
    const level = WANTED.includes(place) ? 'problem' : 'warning';
    findings.push({
      level,
      subject,
      finding: `leads to ${host}, where ${reason.finding}`,
      evidence: reason.evidence,
      next: reason.next,
    });
  }
  return findings;
}
