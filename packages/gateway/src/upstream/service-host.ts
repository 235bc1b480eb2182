/** Owns the names of services: which of the ways to write a host means which Service. */

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
}

/** `name`, `name.ns`, `name.ns.svc` or `name.ns.svc.<cluster domain>`; undefined when the host is no service of the cluster. */
export function parseServiceHost(host: string, ownNamespace: string): ServiceRef | undefined {
  const labels = host.split('.');
  if (labels.some((label) => label === '') || labels.length > 8) return undefined;
  const [name = '', namespace = ownNamespace, kind] = labels;
  return kind === undefined || kind === 'svc' ? { name, namespace } : undefined;
}

/** The full name; the cluster's domain is a matter of spelling here. */
export function serviceHost({ name, namespace }: ServiceRef): string {
  return `${name}.${namespace}.svc.cluster.local`;
}
