/** Owns the CustomResourceDefinitions of Dex's kinds, for clusters that do not have them yet. */
import { defineResource } from '@kfctl/kube';
import type { ResourceType, UnknownObject } from '@kfctl/kube';
import { RECORD_KINDS } from '../records.ts';
import type { RecordKind } from '../records.ts';
import { CODECS } from './codecs.ts';

const GROUP = 'dex.coreos.com';

export const definitionType: ResourceType = defineResource('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
  plural: 'customresourcedefinitions',
  namespaced: false,
});

export const DEFINITIONS: readonly UnknownObject[] = RECORD_KINDS.map(toDefinition);

export function toDefinition(kind: RecordKind): UnknownObject {
  const { resourceKind, plural } = CODECS[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind: resourceKind, listKind: `${resourceKind}List`, plural, singular: resourceKind.toLowerCase() },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}
