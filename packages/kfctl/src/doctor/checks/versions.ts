/** Looks whether what runs is of the same version as this kfctl: half an upgrade explains much. */
import { resources } from '@kfctl/kube';
import type { KubeObject } from '@kfctl/kube';
import { VERSION } from '../../version.ts';
import type { Check } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';

const IMAGE = /(?:^|\/)kfctl\/platform:([^@]+)/;

interface Running {
  readonly subject: string;
  readonly version: string;
}

export const versionCheck: Check = {
  name: 'versions',
  title: 'Versions',
  look: async ({ client }) => {
    const lists = await Promise.all([client.list(resources.deployments), client.list(resources.daemonSets)]);
    const running = lists.flatMap(({ items }) => items.flatMap(versionsOf));
    if (running.length === 0) return [];
    const others = running.filter(({ version }) => version !== VERSION);
    if (others.length === 0) return [ok('kfctl', `and everything that it runs are of version ${VERSION}`)];
    return others.map(({ subject, version }): Finding => {
      const finding = `runs version ${version}, and this kfctl is ${VERSION}`;
      return { level: 'warning', subject, finding, evidence: [], next: 'kfctl generate all && kfctl apply all' };
    });
  },
};

function versionsOf(object: KubeObject & { readonly spec?: unknown }): readonly Running[] {
  const { name = '', namespace = '' } = object.metadata;
  const { template } = (object.spec ?? {}) as { template?: { spec?: { containers?: readonly { image?: string }[] } } };
  const subject = `${object.kind} ${namespace}/${name}`;
  const versions = (template?.spec?.containers ?? []).flatMap(({ image = '' }) => IMAGE.exec(image)?.[1] ?? []);
  return [...new Set(versions)].map((version) => ({ subject, version }));
}
