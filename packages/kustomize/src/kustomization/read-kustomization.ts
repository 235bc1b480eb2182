/** Finds and reads the kustomization file of a directory. */

import { KustomizeError, inPlace } from '../errors.ts';
import type { Loader } from '../files/loader.ts';
import { MapNode, isNull, textOf } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { FieldReader } from './field-reader.ts';
import type { Kustomization } from './kustomization.ts';
import {
  readGenerator,
  readGeneratorOptions,
  readImage,
  readLabel,
  readPatch,
  readReplacement,
  readReplica,
  readSecretGenerator,
  readSortOptions,
  readVar,
} from './read-parts.ts';

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

const helmFields = ['helmGlobals', 'helmCharts', 'helmChartInflationGenerator'];

const knownFields = [
  'apiVersion kind metadata openapi namePrefix nameSuffix namespace commonLabels labels commonAnnotations patchesStrategicMerge',
  'patchesJson6902 patches images imageTags replacements replicas vars sortOptions resources components crds bases configMapGenerator',
  'secretGenerator generatorOptions configurations generators transformers validators buildMetadata',
  ...helmFields,
].flatMap((names) => names.split(' '));

const deprecatedFields: readonly (readonly [string, string])[] = [
  ['bases', 'resources'],
  ['commonLabels', 'labels'],
  ['imageTags', 'images'],
  ['patchesJson6902', 'patches'],
  ['patchesStrategicMerge', 'patches'],
  ['vars', 'replacements'],
];

/** Reads the one kustomization file of the loader's directory. */
export function readKustomization(loader: Loader): Kustomization {
  const found = fileNames.filter((name) => loader.kindOf(name) === 'file');
  const [fileName, second] = found;
  if (fileName === undefined) {
    throw new KustomizeError(
      'KUSTOMIZATION_MISSING',
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${loader.root}'`,
    );
  }
  if (second !== undefined) {
    throw new KustomizeError('KUSTOMIZATION_AMBIGUOUS', `found multiple kustomization files under: ${loader.root}`, {
      hint: `keep one of ${found.join(', ')}`,
    });
  }
  const { text, path } = loader.readText(fileName);
  return inPlace({ file: path }, () => readText(text, fileName));
}

function readText(text: string, fileName: string): Kustomization {
  const root = parseYaml(text);
  if (root === undefined || isNull(root))
    throw new KustomizeError('KUSTOMIZATION_INVALID', 'kustomization.yaml is empty');
  if (!(root instanceof MapNode))
    throw new KustomizeError('KUSTOMIZATION_INVALID', 'a kustomization is a map of fields', { line: root.line });
  const fields = new FieldReader(root, knownFields);
  const kind = requireKind(fields);
  refuseEmpty(fields);
  refuseHelm(fields);
  refuseOpenApiVersion(fields);
  return {
    kind,
    ...readOperands(fields),
    ...readTransformers(fields),
    ...readPatches(fields),
    ...readGenerators(fields),
    sortOptions: fields.object('sortOptions', readSortOptions),
    buildMetadata: readBuildMetadata(fields),
    warnings: [...deprecations(fields), ...unknownOptions(fields)],
    fileName,
    node: root,
  };
}

function deprecations(fields: FieldReader): string[] {
  return deprecatedFields
    .filter(([name]) => fields.node(name) !== undefined && fields.has(name))
    .map(([name, better]) => `'${name}' is deprecated. Please use '${better}' instead.`);
}

function requireKind(fields: FieldReader): 'Kustomization' | 'Component' {
  const kind = fields.string('kind') === '' ? 'Kustomization' : fields.string('kind');
  if (kind !== 'Kustomization' && kind !== 'Component') {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `kind should be Kustomization or Component, not ${kind}`, {
      field: 'kind',
      line: fields.node('kind')?.line,
    });
  }
  const apiVersion = fields.string('apiVersion');
  const required = kind === 'Component' ? 'kustomize.config.k8s.io/v1alpha1' : 'kustomize.config.k8s.io/v1beta1';
  if (apiVersion !== '' && apiVersion !== required) {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `apiVersion for ${kind} should be ${required}`, {
      field: 'apiVersion',
      line: fields.node('apiVersion')?.line,
    });
  }
  return kind;
}

function refuseEmpty(fields: FieldReader): void {
  const used = knownFields.filter((name) => name !== 'apiVersion' && name !== 'kind' && fields.has(name));
  const empty = used.every((name) => {
    const node = fields.node(name);
    return node?.kind === 'scalar' && textOf(node) === '';
  });
  if (empty)
    throw new KustomizeError('KUSTOMIZATION_INVALID', 'kustomization.yaml is empty', {
      hint: 'list files under resources',
    });
}

function refuseHelm(fields: FieldReader): void {
  for (const name of helmFields) {
    const node = fields.node(name);
    if (node === undefined || isNull(node) || name === 'helmGlobals') continue;
    if (node.kind === 'sequence' && node.items.length === 0) continue;
    throw new KustomizeError('NOT_SUPPORTED', 'Helm charts are not supported', {
      field: name,
      line: node.line,
      hint: 'render the chart with helm template, and list the result under resources',
    });
  }
}

/** Only the built-in version of the Kubernetes API can be named. */
function refuseOpenApiVersion(fields: FieldReader): void {
  const openapi = fields.stringMap('openapi');
  const version = openapi.get('version') ?? '';
  if (version !== '' && (openapi.get('path') ?? '') !== '') {
    throw new KustomizeError('KUSTOMIZATION_INVALID', 'a built-in version and a document cannot be used together', {
      field: 'openapi',
      line: fields.node('openapi')?.line,
      hint: 'leave out one of version and path',
    });
  }
  if (version === '' || version === 'v1.21.2') return;
  throw new KustomizeError('NOT_SUPPORTED', `the OpenAPI version ${version} is not built in`, {
    field: 'openapi.version',
    line: fields.node('openapi')?.line,
    hint: 'leave it out, or name a document with openapi.path',
  });
}

function readOperands(
  fields: FieldReader,
): Pick<Kustomization, 'resources' | 'components' | 'crds' | 'configurations' | 'openapiPath' | 'openapiVersion'> {
  return {
    resources: [...fields.strings('resources'), ...fields.strings('bases')],
    components: fields.strings('components'),
    crds: fields.strings('crds'),
    configurations: fields.strings('configurations'),
    openapiPath: fields.stringMap('openapi').get('path') ?? '',
    openapiVersion: fields.stringMap('openapi').get('version') ?? '',
  };
}

type TransformerFields =
  | 'namePrefix'
  | 'nameSuffix'
  | 'namespace'
  | 'labels'
  | 'commonLabels'
  | 'commonAnnotations'
  | 'images'
  | 'replicas';

function readTransformers(fields: FieldReader): Pick<Kustomization, TransformerFields | 'replacements' | 'vars'> {
  return {
    namePrefix: fields.string('namePrefix'),
    nameSuffix: fields.string('nameSuffix'),
    namespace: fields.string('namespace'),
    labels: fields.list('labels', readLabel),
    commonLabels: fields.stringMap('commonLabels'),
    commonAnnotations: fields.stringMap('commonAnnotations'),
    images: [...fields.list('images', readImage), ...fields.list('imageTags', readImage)],
    replicas: fields.list('replicas', readReplica),
    replacements: fields.list('replacements', readReplacement),
    vars: fields.list('vars', readVar),
  };
}

function readPatches(
  fields: FieldReader,
): Pick<Kustomization, 'patches' | 'patchesStrategicMerge' | 'patchesJson6902'> {
  return {
    patches: fields.list('patches', readPatch),
    patchesStrategicMerge: fields.strings('patchesStrategicMerge'),
    patchesJson6902: fields.list('patchesJson6902', readPatch),
  };
}

type GeneratorFields =
  | 'configMapGenerator'
  | 'secretGenerator'
  | 'generatorOptions'
  | 'generators'
  | 'transformers'
  | 'validators';

function readGenerators(fields: FieldReader): Pick<Kustomization, GeneratorFields> {
  return {
    configMapGenerator: fields.list('configMapGenerator', readGenerator),
    secretGenerator: fields.list('secretGenerator', readSecretGenerator),
    generatorOptions: fields.object('generatorOptions', readGeneratorOptions),
    generators: fields.strings('generators'),
    transformers: fields.strings('transformers'),
    validators: fields.strings('validators'),
  };
}

const buildMetadataOptions = ['originAnnotations', 'transformerAnnotations', 'managedByLabel'];

function readBuildMetadata(fields: FieldReader): string[] {
  return fields.strings('buildMetadata').filter((option) => buildMetadataOptions.includes(option));
}

/** The reference takes options that it does not know for none; that is worth a word. */
function unknownOptions(fields: FieldReader): string[] {
  return fields
    .strings('buildMetadata')
    .filter((option) => !buildMetadataOptions.includes(option))
    .map((option) => `buildMetadata: the option '${option}' is not known and has no effect`);
}
