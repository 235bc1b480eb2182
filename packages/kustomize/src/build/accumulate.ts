/**
 * One kustomization directory -> its objects: resources and bases, then generators, components, transformers and vars. Names, references
 * and vars are settled only by the outermost kustomization (build.ts).
 */

import { join } from 'node:path';
import { KustomizeError, inPlace } from '../errors.ts';
import { type TransformerConfig, emptyConfig, mergeConfigs } from '../field/transformer-config.ts';
import type { Loader } from '../files/loader.ts';
import { generateConfigMap, generateSecret, withGlobalOptions } from '../generate/generate.ts';
import type { Kustomization, Var } from '../kustomization/kustomization.ts';
import { readCrds } from '../kustomization/read-crds.ts';
import { readConfigurations } from '../kustomization/read-configuration.ts';
import { readKustomization } from '../kustomization/read-kustomization.ts';
import type { Resource } from '../resource/resource.ts';
import { readResources } from '../resource/read-resources.ts';
import { ResourceMap } from '../resource/resource-map.ts';
import { readOpenApi } from '../schema/read-open-api.ts';
import type { SchemaSet } from '../schema/schema-set.ts';
import { markVars, mergeVars } from '../transform/vars.ts';
import { createMemoryFileSystem } from '../files/memory-file-system.ts';
import { type Remote, parseRemote } from '../remote/parse-remote.ts';
import { readArchive } from '../remote/read-archive.ts';
import { readRemote } from '../remote/remote-store.ts';
import { configuredBy, configuredByPlugin, readFrom, recordOrigin, recordTransformation } from './origins.ts';
import { inKustomization } from './in-kustomization.ts';
import { runPluginGenerator, runPluginTransformer } from './run-plugins.ts';
import { runTransformers } from './run-transformers.ts';

export interface BuildContext {
  readonly schemas: SchemaSet;
  readonly warn: (message: string) => void;
  /** True when the result says where its objects come from. */
  readonly tracksOrigins: boolean;
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

/** Reads the directory's kustomization file and passes its warnings on. */
export function openKustomization(loader: Loader, context: Pick<BuildContext, 'warn'>): Kustomization {
  const kustomization = readKustomization(loader);
  for (const message of kustomization.warnings) context.warn(message);
  return kustomization;
}

export interface Step {
  readonly loader: Loader;
  readonly kustomization: Kustomization;
  readonly context: BuildContext;
  /** The directory, as seen from the one that is built. */
  readonly origin: string;
}

/** Adds everything that the kustomization says to the accumulator: an empty one, or its parent's for a component. */
export function accumulate(step: Step, into: Accumulator): void {
  const { loader, kustomization, context } = step;
  inKustomization(step, 'openapi', () => useSchema(step));
  for (const [index, path] of kustomization.resources.entries()) {
    const field = `resources[${index}]`;
    inKustomization(step, field, () => addResource(step, path, { into, field }));
  }
  inKustomization(step, 'configurations', () => {
    into.config = mergeConfigs(into.config, readConfigurations(loader, kustomization.configurations));
  });
  inKustomization(step, 'crds', () => {
    into.config = mergeConfigs(into.config, readCrds(loader, kustomization.crds));
  });
  runGenerators(step, into);
  for (const [index, path] of kustomization.components.entries())
    inKustomization(step, `components[${index}]`, () => addComponent(step, path, into));
  inKustomization(step, 'validators', () => refuseValidators(kustomization));
  const ran = (name: string): void => recordTransformation(step, configuredBy(step, name), into.map.resources);
  runTransformers({ loader, kustomization, config: into.config, map: into.map, schemas: context.schemas.lookup, ran });
  inKustomization(step, 'transformers', () => runPlugins(step, into));
  context.schemas.see(into.map.resources);
  inKustomization(step, 'vars', () => {
    markVars(into.map.resources, kustomization.vars);
    into.vars = mergeVars(into.vars, kustomization.vars);
  });
}

function runPlugins(step: Step, into: Accumulator): void {
  for (const plugin of readPlugins(step, step.kustomization.transformers, 'transformers')) {
    runPluginTransformer(plugin, step, into);
    recordTransformation(step, configuredByPlugin(step, plugin), into.map.resources);
  }
}

function refuseValidators({ validators }: Kustomization): void {
  if (validators.length === 0) return;
  throw new KustomizeError('NOT_SUPPORTED', 'validators are not supported', {
    field: 'validators',
    hint: 'validate the built output instead',
  });
}

function useSchema({ loader, kustomization, context }: Step): void {
  if (kustomization.openapiVersion !== '') context.schemas.useBuiltIn();
  if (kustomization.openapiPath === '') return;
  const file = inPlace({ field: 'openapi.path' }, () => loader.readText(kustomization.openapiPath));
  context.schemas.use(inPlace({ file: file.path }, () => readOpenApi(file.text)));
}

/** Adds objects that were read. */
function add(resources: readonly Resource[], into: Accumulator, { schemas }: BuildContext): void {
  schemas.see(resources);
  into.map.appendAll(resources);
}

function enterArchive(remote: Remote & { readonly kind: 'archive' }, loader: Loader): Loader {
  const fileSystem = createMemoryFileSystem(readArchive(readRemote(loader.options.remotes, remote)));
  return loader.enterArchive(remote.url, fileSystem, remote.directory);
}

interface Destination {
  readonly into: Accumulator;
  readonly field: string;
}

function addResource(step: Step, path: string, { into, field }: Destination): void {
  const { loader, context } = step;
  const remote = parseRemote(path);
  if (remote?.kind === 'archive') {
    addBase(step, enterArchive(remote, loader), { into, field, path });
    return;
  }
  const kind = remote?.kind ?? loader.kindOf(path);
  if (kind === undefined) {
    throw new KustomizeError('FILE_NOT_FOUND', `no such file or directory '${path}'`, { file: loader.root, field });
  }
  if (kind === 'file') {
    const file = inPlace({ field }, () => loader.readText(path));
    const resources = readResources(file.text, file.path);
    recordOrigin(step, readFrom(join(step.origin, path)), resources);
    add(resources, into, context);
    return;
  }
  addBase(step, loader.enter(path), { into, field, path });
}

function addBase(
  { context, origin }: Step,
  base: Loader,
  { into, field, path }: Destination & { readonly path: string },
): void {
  const kustomization = openKustomization(base, context);
  if (kustomization.kind === 'Component') {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `expected kind != 'Component' for path '${base.root}'`, {
      field,
      hint: 'list components under components',
    });
  }
  const inner = new Accumulator();
  accumulate({ loader: base, kustomization, context, origin: join(origin, path) }, inner);
  into.absorb(inner);
}

function addComponent(step: Step, path: string, into: Accumulator): void {
  const remote = parseRemote(path);
  if (remote?.kind === 'file') {
    throw new KustomizeError('REMOTE_INVALID', `a component is a directory, and ${remote.url} is a file`, {
      hint: 'write https://host/org/repo//path?ref=version',
    });
  }
  const component = remote?.kind === 'archive' ? enterArchive(remote, step.loader) : step.loader.enter(path);
  const kustomization = openKustomization(component, step.context);
  if (kustomization.kind !== 'Component') {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `expected kind 'Component' for path '${component.root}'`, {
      field: 'components',
      hint: 'list bases under resources',
    });
  }
  accumulate({ loader: component, kustomization, context: step.context, origin: join(step.origin, path) }, into);
  // The reference adds what a component leaves to nothing, which merges the field specs among themselves.
  into.config = mergeConfigs(emptyConfig, into.config);
}

function runGenerators(step: Step, into: Accumulator): void {
  const { loader, kustomization } = step;
  const absorb = (resource: Resource, name: string): void => {
    recordOrigin(step, configuredBy(step, name), [resource]);
    into.map.absorb([resource]);
  };
  for (const generator of kustomization.configMapGenerator) {
    const complete = withGlobalOptions(generator, kustomization.generatorOptions);
    inKustomization(step, generator.field, () => absorb(generateConfigMap(complete, loader), 'ConfigMapGenerator'));
  }
  for (const generator of kustomization.secretGenerator) {
    const complete = withGlobalOptions(generator, kustomization.generatorOptions);
    inKustomization(step, generator.field, () => absorb(generateSecret(complete, loader), 'SecretGenerator'));
  }
  inKustomization(step, 'generators', () => {
    for (const plugin of readPlugins(step, kustomization.generators, 'generators')) {
      const made = runPluginGenerator(plugin, loader);
      recordOrigin(step, configuredByPlugin(step, plugin), [made]);
      into.map.absorb([made]);
    }
  });
}

/** Plugin configuration: objects written inline, in files, or made by a kustomization. */
function readPlugins(step: Step, entries: readonly string[], field: string): Resource[] {
  const plugins = new Accumulator();
  for (const [index, entry] of entries.entries()) {
    const inline = readInline(entry);
    if (inline === undefined) addResource(step, entry, { into: plugins, field: `${field}[${index}]` });
    else add(inline, plugins, step.context);
  }
  return plugins.map.resources;
}

function readInline(entry: string): Resource[] | undefined {
  return /[\n{]/u.test(entry) ? readResources(entry) : undefined;
}
