/** Looks whether the cluster still serves every kind, in the version that kfctl applied, and still has every definition. */
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { inventoryPrefix, parseEntries } from '../../apply/inventory.ts';
import type { InventoryEntry } from '../../apply/inventory.ts';
import { readinessCheck } from '../../apply/readiness.ts';
import { createTypeFinder } from '../../plan/plan.ts';
import type { Check } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';

export const customResourceCheck: Check = {
  name: 'custom-resources',
  title: 'Kinds and their versions',
  look: async ({ client }) => {
    const entries = await readEntries(client);
    if (entries.length === 0) return [];
    const findings = [...(await explainDefinitions(client, entries)), ...(await explainVersions(client, entries))];
    if (findings.length > 0) return findings;
    const kinds = new Set(entries.map(({ group, kind }) => `${group}/${kind}`));
    return [ok('kinds', `all ${kinds.size} are served in the versions that were applied`)];
  },
};

async function readEntries(client: KubeClient): Promise<readonly InventoryEntry[]> {
  const maps = await client.list(resources.configMaps, { labelSelector: 'app.kubernetes.io/managed-by=kfctl' });
  return maps.items
    .filter(({ metadata }) => metadata.name?.startsWith(inventoryPrefix))
    .flatMap(({ data }) => parseEntries(data?.['objects'] ?? ''));
}

async function explainDefinitions(client: KubeClient, entries: readonly InventoryEntry[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const entry of entries.filter(({ kind }) => kind === 'CustomResourceDefinition')) {
    const definition = await client.get(resources.customResourceDefinitions, entry.name);
    const readiness = readinessCheck(entry)?.(definition) ?? { kind: 'ready' };
    if (readiness.kind === 'ready') continue;
    const subject = `CustomResourceDefinition ${entry.name}`;
    const next = definition === undefined ? 'kfctl apply all' : `kubectl describe crd ${entry.name}`;
    findings.push({ level: 'problem', subject, finding: readiness.reason, evidence: [], next });
  }
  return findings;
}

async function explainVersions(client: KubeClient, entries: readonly InventoryEntry[]): Promise<readonly Finding[]> {
  await client.discover({ refresh: true });
  const types = await createTypeFinder(client);
  const lost = new Map<string, InventoryEntry[]>();
  for (const entry of entries) {
    const apiVersion = entry.group === '' ? entry.version : `${entry.group}/${entry.version}`;
    if (types(apiVersion, entry.kind) !== undefined) continue;
    const key = `${entry.kind} of ${apiVersion}`;
    lost.set(key, [...(lost.get(key) ?? []), entry]);
  }
  return [...lost].map(([key, objects]) => ({
    level: 'problem',
    subject: key,
    finding: 'is not served (any more): these objects cannot be read or changed',
    evidence: objects.map(({ namespace, name }) => `${namespace}/${name}`),
    next: 'kubectl api-resources; kfctl apply all',
  }));
}
