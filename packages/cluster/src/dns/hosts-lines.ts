/** Owns the cluster's names as lines of a hosts file, for machines where port 53 cannot be bound. */
import type { Endpoints, Service } from '@kfctl/kube';
import { CLUSTER_DOMAIN, isHeadless } from './cluster-names.ts';

export interface HostsObjects {
  services(): readonly Service[];
  endpoints(name: string, namespace: string): Endpoints | undefined;
}

const MAX_LINES = 5_000;

/** `127.64.8.7 dex.kubeflow.svc.cluster.local dex.kubeflow.svc dex.kubeflow dex`; the shortest form for services of the own namespace only. */
export function hostsLines(objects: HostsObjects, ownNamespace: string): string[] {
  const lines = objects.services().flatMap((service) => {
    const { name = '', namespace = '' } = service.metadata;
    const names = namesOf(`${name}.${namespace}.svc`, namespace === ownNamespace ? [name] : []);
    const { clusterIP } = service.spec ?? {};
    if (!isHeadless(service)) return clusterIP ? [`${clusterIP}\t${names.join('\t')}`] : [];
    const addresses = (objects.endpoints(name, namespace)?.subsets ?? []).flatMap((subset) => subset.addresses ?? []);
    return addresses.map(({ ip, hostname }) => {
      const own =
        hostname === undefined ? [] : namesOf(`${hostname}.${name}.${namespace}.svc`, [`${hostname}.${name}`]);
      return `${ip}\t${[...own, ...names].join('\t')}`;
    });
  });
  return lines.slice(0, MAX_LINES);
}

function namesOf(base: string, short: readonly string[]): string[] {
  return [`${base}.${CLUSTER_DOMAIN}`, base, base.replace(/\.svc$/, ''), ...short];
}
