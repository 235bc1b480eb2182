/** Owns the order of a delete: controllers outlive what they look after, accounts outlive what runs under them, kinds their objects. */
import { resources } from '@kfctl/kube';
import type { ResourceType } from '@kfctl/kube';
import { typesOfCrd } from '../plan/plan.ts';
import { waveOf, WAVE } from '../plan/waves.ts';
import type { Doomed } from './doomed.ts';

export interface Step {
  readonly name: string;
  readonly members: readonly Doomed[];
  /** Delete all objects of these kinds first, whoever made them: their kind goes. */
  readonly kinds: readonly ResourceType[];
  /** Kinds of what belongs to the step's objects, owners first. */
  readonly dependents: readonly ResourceType[];
}

const PODS = [resources.replicaSets, resources.jobs, resources.pods] as unknown as readonly ResourceType[];
const WORKSPACES = [resources.namespaces] as unknown as readonly ResourceType[];

/** Custom resources go while their controllers still run; kinds and namespaces last, the inventory's own namespace at the very end. */
export function stepsOf(doomed: readonly Doomed[], inventoryNamespace: string): Step[] {
  const of = (test: (doomed: Doomed) => boolean): Doomed[] => doomed.filter(test);
  const isCrd = ({ entry }: Doomed): boolean => entry.kind === 'CustomResourceDefinition';
  const isNamespace = ({ entry }: Doomed): boolean => entry.kind === 'Namespace' && entry.group === '';
  const isLast = (one: Doomed): boolean => isNamespace(one) && one.entry.name === inventoryNamespace;
  const wave =
    (number: number) =>
    (one: Doomed): boolean =>
      waveOf(one.entry) === number;
  const kinds = of(isCrd).flatMap(({ object }) => typesOfCrd(object).slice(0, 1));
  // Policies guard the routes: they stay until the gateway is gone.
  const kindsOf = (number: number): ResourceType[] => kinds.filter((kind) => waveOf(kind) === number);
  const plain = { kinds: [], dependents: [] };
  return [
    {
      name: 'routes and other custom resources',
      members: of(wave(WAVE.rest)),
      kinds: kindsOf(WAVE.rest),
      dependents: WORKSPACES,
    },
    { ...plain, name: 'workloads', members: of(wave(WAVE.workloads)), dependents: PODS },
    {
      ...plain,
      name: 'accounts, access, configuration and policies',
      members: of(wave(WAVE.foundations)),
      kinds: kindsOf(WAVE.foundations),
    },
    { ...plain, name: 'kinds', members: of(isCrd) },
    { ...plain, name: 'namespaces', members: of((one) => isNamespace(one) && !isLast(one)) },
    { ...plain, name: 'the last namespace', members: of(isLast) },
  ].filter(({ members, kinds }) => members.length > 0 || kinds.length > 0);
}
