/** Looks at everything that kfctl runs: what is not ready, and what its pods say about it. */
import { readHealth } from '../../apply/health.ts';
import type { ComponentHealth } from '../../apply/health.ts';
import type { Check } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';

export const workloadCheck: Check = {
  name: 'workloads',
  title: 'Workloads',
  look: async ({ client }) => {
    const components = (await readHealth(client)).flatMap((health) => health.components);
    const findings: Finding[] = [];
    for (const { kind, namespace, name, reason = '', troubles } of components.filter(({ ready }) => !ready)) {
      findings.push({
        level: 'problem',
        subject: `${kind} ${namespace}/${name}`,
        finding: `is not ready: ${reason}`,
        evidence: [...troubles],
        next: nextFor({ kind, namespace, name, reason }),
      });
    }
    if (findings.length > 0 || components.length === 0) return findings;
    return [ok('workloads', `all ${components.length} are ready`)];
  },
};

function nextFor({
  kind,
  namespace,
  name,
  reason,
}: Pick<ComponentHealth, 'kind' | 'namespace' | 'name' | 'reason'>): string {
  if (reason === 'does not exist') return 'kfctl apply all';
  const resource = `${kind.toLowerCase()}/${name}`;
  return `kubectl describe -n ${namespace} ${resource}; kubectl logs -n ${namespace} ${resource} --all-containers --previous`;
}
