/** configMapGenerator and secretGenerator: ConfigMaps and Secrets made of literals and files. */

import { KustomizeError } from '../errors.ts';
import type { Loader } from '../files/loader.ts';
import type { Generator, GeneratorOptions } from '../kustomization/kustomization.ts';
import { ensureMap } from '../resource/edit-node.ts';
import { type Behavior, Resource } from '../resource/resource.ts';
import { MapNode, ScalarNode, plainNode, stringNode, tags } from '../yaml/node.ts';
import { loadKeyValues } from './key-values.ts';

const behaviors: readonly string[] = ['', 'create', 'merge', 'replace'];

function isBehavior(text: string): text is Behavior {
  return behaviors.includes(text);
}

function startObject(kind: string, generator: Generator): MapNode {
  if (generator.name === '')
    throw new KustomizeError('GENERATOR_INVALID', 'a configmap must have a name', { field: generator.field });
  const node = new MapNode();
  node.set('apiVersion', plainNode('v1'));
  node.set('kind', plainNode(kind));
  const metadata = ensureMap(node, 'metadata');
  metadata.set('name', stringNode(generator.name));
  if (generator.namespace !== '') metadata.set('namespace', stringNode(generator.namespace));
  return node;
}

function finish(node: MapNode, generator: Generator): Resource {
  const { options } = generator;
  if (options?.immutable) node.set('immutable', new ScalarNode('true', tags.boolean));
  const resource = new Resource(node);
  if (options !== undefined) {
    resource.setLabels(options.labels);
    resource.setAnnotations(options.annotations);
  }
  resource.needsHash = !(options?.disableNameSuffixHash ?? false);
  resource.generated = true;
  resource.behavior = isBehavior(generator.behavior) ? generator.behavior : '';
  return resource;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function asText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Base64 in lines of 70 characters when it is longer than that. */
export function encodeBase64(bytes: Uint8Array): string {
  const encoded = Buffer.from(bytes).toString('base64');
  if (encoded.length < 70) return encoded;
  return encoded.replace(/.{1,70}/gu, '$&\n');
}

export function generateConfigMap(generator: Generator, loader: Loader): Resource {
  const node = startObject('ConfigMap', generator);
  for (const [key, bytes] of loadKeyValues(generator, loader)) {
    const text = asText(bytes);
    if (text === undefined) ensureMap(node, 'binaryData').set(key, stringNode(encodeBase64(bytes)));
    else ensureMap(node, 'data').set(key, stringNode(text));
  }
  return finish(node, generator);
}

export function generateSecret(generator: Generator, loader: Loader): Resource {
  const node = startObject('Secret', generator);
  node.set('type', stringNode(generator.type === '' ? 'Opaque' : generator.type));
  const data = ensureMap(node, 'data');
  for (const [key, bytes] of loadKeyValues(generator, loader)) data.set(key, stringNode(encodeBase64(bytes)));
  return finish(node, generator);
}

function mergeMaps(
  left: ReadonlyMap<string, string> | undefined,
  right: ReadonlyMap<string, string>,
): Map<string, string> {
  return new Map([...(left ?? []), ...right]);
}

/** The generator with the options of the whole kustomization; its own labels and annotations win. */
export function withGlobalOptions(generator: Generator, global: GeneratorOptions | undefined): Generator {
  if (global === undefined) return generator;
  const own = generator.options;
  return {
    ...generator,
    options: {
      labels: mergeMaps(global.labels, own?.labels ?? new Map()),
      annotations: mergeMaps(global.annotations, own?.annotations ?? new Map()),
      disableNameSuffixHash: global.disableNameSuffixHash || (own?.disableNameSuffixHash ?? false),
      immutable: global.immutable || (own?.immutable ?? false),
    },
  };
}
