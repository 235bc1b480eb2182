/** Looks whether the cluster answers, how old it is, and whether kfctl has installed something there. */
import { resources } from '@kfctl/kube';
import { inventoryPrefix } from '../../apply/inventory.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';

/** Server-side apply of CRDs, which all of this rests on, is in every version from here on. */
const OLDEST_MINOR = 18;

export const clusterCheck: Check = {
  name: 'cluster',
  title: 'Cluster',
  look: async ({ client, server }) => {
    const { status, body } = await client.request({ method: 'GET', path: '/version' });
    const { major = '', minor = '', gitVersion = '' } = (body ?? {}) as Record<string, string>;
    if (status !== 200) {
      const evidence = [`GET ${server}/version: HTTP ${status}`];
      const next = 'check the credentials of the kubeconfig: kubectl auth whoami';
      return [{ level: 'problem', subject: 'cluster', finding: 'does not let us in', evidence, next }];
    }
    const isOld = major === '1' && Number.parseInt(minor, 10) < OLDEST_MINOR;
    const age: Finding = isOld
      ? {
          level: 'problem',
          subject: 'Kubernetes',
          finding: `${gitVersion} is older than 1.${OLDEST_MINOR}, the oldest that works`,
          evidence: [],
        }
      : { level: 'ok', subject: 'Kubernetes', finding: `${gitVersion} at ${server}`, evidence: [] };
    const { items } = await client.list(resources.configMaps, { labelSelector: 'app.kubernetes.io/managed-by=kfctl' });
    const names = items.flatMap(({ metadata: { name = '' } }) => {
      return name.startsWith(inventoryPrefix) ? [name.slice(inventoryPrefix.length)] : [];
    });
    const deployments: Finding =
      names.length > 0
        ? { level: 'ok', subject: 'kfctl', finding: `has installed ${names.join(', ')}`, evidence: [] }
        : {
            level: 'problem',
            subject: 'kfctl',
            finding: 'has installed nothing on this cluster',
            evidence: ['no inventory ConfigMap app.kubernetes.io/managed-by=kfctl in any namespace'],
            next: 'kfctl apply all   (in the application directory that kfctl init made)',
          };
    return [age, deployments];
  },
};
