/** Owns where an authorizer is asked: as any destination, by the DestinationRules of its service. */
import type { ExternalAuthorizer } from '../istio/mesh-config.ts';
import type { Cluster } from '../upstream/cluster/cluster.ts';
import type { Clusters, ClusterTarget } from '../upstream/cluster/clusters.ts';

/** Undefined: there is no such service, or a rule that cannot be read wants it to be spoken to over TLS. */
export type FindAuthorizer = (authorizer: ExternalAuthorizer) => Cluster | undefined;

/** `namespace` is where short host names are looked up. */
export function createAuthorizerFinder(clusters: Pick<Clusters, 'find'>, namespace: string): FindAuthorizer {
  const targets = new WeakMap<ExternalAuthorizer, ClusterTarget>();
  return (authorizer) => {
    const { host, port } = authorizer;
    const target = targets.get(authorizer) ?? { host, port, namespace, subset: undefined };
    targets.set(authorizer, target);
    const cluster = clusters.find(target);
    return cluster === 'no-subset' ? undefined : cluster;
  };
}
