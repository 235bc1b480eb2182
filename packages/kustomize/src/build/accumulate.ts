/**
 * One kustomization directory -> its objects: resources and bases, then generators, components, transformers and vars. Names, references
 * and vars are settled only by the outermost kustomization (build.ts).
 */

import { KustomizeError, inPlace } from '../errors.ts';
import { type TransformerConfig, emptyConfig, mergeConfigs } from '../field/transformer-config.ts';
import type { Loader } from '../files/loader.ts';
import { generateConfigMap, generateSecret, withGlobalOptions } from '../generate/generate.ts';
import type { Kustomization, Var } from '../kustomization/kustomization.ts';
import { readConfigurations } from '../kustomization/read-configuration.ts';
import { readKustomization } from '../kustomization/read-kustomization.ts';
import { readResources } from '../resource/read-resources.ts';
import { ResourceMap } from '../resource/resource-map.ts';
import type { SchemaLookup } from '../schema/merge-schema.ts';
import { markVars, mergeVars } from '../transform/vars.ts';
import { runTransformers } from './run-transformers.ts';

export interface BuildContext {
  readonly schemas: SchemaLookup;
  readonly warn: (message: string) => void;
}

/** What a directory adds up to, with the rules that later steps need. */
export class Accumulator {
  readonly map: ResourceMap = new ResourceMap();
  config: TransformerConfig = emptyConfig;
  vars: readonly Var[] = [];

  absorb(other: Accumulator): void {
    this.map.appendAll(other.map.resources);
    this.config = mergeConfigs(this.config, other.config);
    this.vars = mergeVars(this.vars, other.vars);
  }
}

/** Reads the directory's kustomization file and says when it uses something deprecated. */
export function openKustomization(loader: Loader, context: BuildContext): Kustomization {
  const kustomization = readKustomization(loader);
  for (const message of kustomization.deprecated) context.warn(message);
  return kustomization;
}

interface Step {
  readonly loader: Loader;
  readonly kustomization: Kustomization;
  readonly context: BuildContext;
}

/** Adds everything that the kustomization says to the accumulator: an empty one, or its parent's for a component. */
export function accumulate(step: Step, into: Accumulator): void {
  const { loader, kustomization, context } = step;
  for (const [index, path] of kustomization.resources.entries())
    addResource(step, path, { into, field: `resources[${index}]` });
  into.config = mergeConfigs(into.config, readConfigurations(loader, kustomization.configurations));
  runGenerators(step, into);
  for (const path of kustomization.components) addComponent(step, path, into);
  runTransformers({ loader, kustomization, config: into.config, map: into.map, schemas: context.schemas });
  markVars(into.map.resources, kustomization.vars);
  into.vars = mergeVars(into.vars, kustomization.vars);
}

interface Destination {
  readonly into: Accumulator;
  readonly field: string;
}

function addResource(step: Step, path: string, { into, field }: Destination): void {
  const { loader, context } = step;
  const kind = loader.kindOf(path);
  if (kind === undefined) {
    throw new KustomizeError('FILE_NOT_FOUND', `no such file or directory '${path}'`, { file: loader.root, field });
  }
  if (kind === 'file') {
    const file = inPlace({ field }, () => loader.readText(path));
    into.map.appendAll(readResources(file.text, file.path));
    return;
  }
  const base = loader.enter(path);
  const kustomization = openKustomization(base, context);
  if (kustomization.kind === 'Component') {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `expected kind != 'Component' for path '${base.root}'`, {
      field,
      hint: 'list components under components',
    });
  }
  const inner = new Accumulator();
  accumulate({ loader: base, kustomization, context }, inner);
  into.absorb(inner);
}

function addComponent(step: Step, path: string, into: Accumulator): void {
  const component = step.loader.enter(path);
  const kustomization = openKustomization(component, step.context);
  if (kustomization.kind !== 'Component') {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `expected kind 'Component' for path '${component.root}'`, {
      field: 'components',
      hint: 'list bases under resources',
    });
  }
  accumulate({ loader: component, kustomization, context: step.context }, into);
  into.map.requireValid();
}

function runGenerators({ loader, kustomization }: Step, into: Accumulator): void {
  for (const generator of kustomization.configMapGenerator) {
    into.map.absorb([generateConfigMap(withGlobalOptions(generator, kustomization.generatorOptions), loader)]);
  }
  for (const generator of kustomization.secretGenerator) {
    into.map.absorb([generateSecret(withGlobalOptions(generator, kustomization.generatorOptions), loader)]);
  }
}
