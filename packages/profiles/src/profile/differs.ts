/** Owns the comparison of a present object with the desired one: what we set must be there; what others add to metadata may stay. */
import type { KubeObject } from '@kfctl/kube';

// Importing names of it loads Web Cryptography and more: megabytes in every process for nothing.
const { isDeepStrictEqual } = process.getBuiltinModule('node:util');

/** True when the present object must be written again. Rules and subjects are compared whole: an added one is a difference. */
export function differs(present: KubeObject | undefined, desired: KubeObject): boolean {
  if (present === undefined) return true;
  const { metadata, apiVersion: _apiVersion, kind: _kind, ...content } = desired;
  const actual = present as unknown as Readonly<Record<string, unknown>>;
  const contentDiffers = Object.entries(content).some(([field, value]) => !isDeepStrictEqual(actual[field], value));
  return (
    contentDiffers ||
    lacks(present.metadata.labels, metadata.labels) ||
    lacks(present.metadata.annotations, metadata.annotations) ||
    (metadata.ownerReferences ?? []).some(
      (wanted) => !present.metadata.ownerReferences?.some((owner) => owner.uid === wanted.uid),
    )
  );
}

function lacks(
  present: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(wanted).some(([key, value]) => present?.[key] !== value);
}
