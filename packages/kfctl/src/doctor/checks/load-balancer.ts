/** Looks at the address of the gateway and of every other LoadBalancer service; the load balancer itself explains what it sees. */
import { defineResource, endpointSliceClient, isKubeError, resources } from '@kfctl/kube';
import type { KubeClient, KubeObject, ListOptions, ResourceType } from '@kfctl/kube';
import { GATEWAY_SERVICE } from '../../credentials/plan-certificate.ts';
import type { Check, CheckContext } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';

const NAMESPACE = 'metallb-system';
const POOLS = defineResource('metallb.io/v1beta1', 'IPAddressPool', { plural: 'ipaddresspools' });
const ADVERTISEMENTS = defineResource('metallb.io/v1beta1', 'L2Advertisement', { plural: 'l2advertisements' });

export const loadBalancerCheck: Check = {
  name: 'load-balancer',
  title: 'Load balancer address',
  look: async (context) => {
    const { client, gateway } = context;
    const { code, stdout, stderr } = await context.runProgram(
      'load-balancer',
      ['explain'],
      JSON.stringify(await readWorld(client)),
    );
    if (code !== 0) throw new Error(`load-balancer explain ended with ${code}: ${stderr}`);
    const findings = JSON.parse(stdout) as readonly Finding[];
    const about = `Service ${gateway?.metadata.namespace ?? ''}/${GATEWAY_SERVICE}`;
    // The gateway first: it is what people came for.
    const isGateway = ({ subject }: Finding): boolean => subject === about;
    const own = findings.filter(isGateway);
    return [...(own.length > 0 ? own : explainGateway(context, about)), ...findings.filter((one) => !isGateway(one))];
  },
};

/** For what the load balancer says nothing about. */
function explainGateway({ gateway, urls }: CheckContext, about: string): readonly Finding[] {
  if (gateway === undefined) {
    return [
      {
        level: 'problem',
        subject: `Service istio-system/${GATEWAY_SERVICE}`,
        finding: 'does not exist: there is no gateway',
        evidence: [],
        next: 'kfctl apply all',
      },
    ];
  }
  if (urls.length > 0) return [ok(about, `has an address: ${urls.join(', ')}`)];
  const type = gateway.spec?.type ?? 'ClusterIP';
  return [
    {
      level: 'problem',
      subject: about,
      finding: type === 'LoadBalancer' ? 'has no address' : `is of the type ${type} and gets no address`,
      evidence: [],
      next: `kubectl describe service -n ${gateway.metadata.namespace ?? ''} ${GATEWAY_SERVICE}`,
    },
  ];
}

async function readWorld(client: KubeClient): Promise<Record<string, unknown>> {
  const all = async <T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<readonly T[]> =>
    (await listIfServed(client, type, options)).map((object) => ({
      ...object,
      metadata: { ...object.metadata, managedFields: [] },
    }));
  const here = { namespace: NAMESPACE };
  const slices = await endpointSliceClient(client).list(resources.endpointSlices);
  return {
    namespace: NAMESPACE,
    configMap: await client.get(resources.configMaps, 'config', here),
    pools: await all(POOLS),
    advertisements: await all(ADVERTISEMENTS),
    services: await all(resources.services),
    slices: slices.items,
    nodes: await all(resources.nodes),
    namespaces: await all(resources.namespaces),
    pods: await all(resources.pods, here),
    leases: await all(resources.leases, here),
    events: await all(resources.events, { fieldSelector: 'involvedObject.kind=Service' }),
  };
}

/** A type that the cluster does not serve has no objects. */
async function listIfServed<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  options: ListOptions,
): Promise<readonly T[]> {
  try {
    return (await client.list(type, options)).items;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return [];
    throw error;
  }
}
