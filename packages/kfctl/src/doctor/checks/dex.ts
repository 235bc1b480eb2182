/** Looks at the configuration of dex as dex itself would read it, and at its connectors as far as they are reached from here. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resources } from '@kfctl/kube';
import type { Check } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';

const SUBJECT = 'ConfigMap kubeflow/dex';
const MAX_LINES = 25;

export const dexCheck: Check = {
  name: 'dex',
  title: 'Configuration of dex',
  look: async ({ client, runProgram }) => {
    const map = await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' });
    const text = map?.data?.['config.yaml'];
    if (text === undefined) {
      const finding = map === undefined ? 'does not exist' : 'has no key config.yaml';
      return [{ level: 'problem', subject: SUBJECT, finding, evidence: [], next: 'kfctl apply all' }];
    }
    const folder = await mkdtemp(path.join(tmpdir(), 'kfctl-doctor-'));
    try {
      const file = path.join(folder, 'config.yaml');
      await writeFile(file, text, { mode: 0o600 });
      const { code, stdout } = await runProgram('identity', ['check', '--', file], '');
      return [judge(code, stdout.replaceAll(file, 'config.yaml'))];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function judge(code: number, output: string): Finding {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Next:'));
  const served = lines.find((line) => line.includes('can be served'));
  if (code === 0) return ok(SUBJECT, served ?? 'can be served');
  if (served !== undefined) {
    return {
      level: 'warning',
      subject: SUBJECT,
      finding: 'a connector does not answer from this machine; the cluster may reach it all the same',
      evidence: lines.slice(0, MAX_LINES),
      next: 'kfctl ldap check',
    };
  }
  return {
    level: 'problem',
    subject: SUBJECT,
    finding: 'cannot be served: the running dex keeps the configuration before, a restarted one does not start',
    evidence: lines.slice(0, MAX_LINES),
    next: 'kubectl edit configmap -n kubeflow dex',
  };
}
