/** Owns reading of a KfDef (v1alpha1, v1beta1, v1): text in, KfDef out, or every mistake at once. It touches no cluster. */
import path from 'node:path';
import { isScalar, LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import { checkApplications } from './check-applications.ts';
import { diskCatalog, shippedPackages } from './catalog.ts';
import type { Catalog } from './catalog.ts';
import {
  APPLICATION_FIELDS,
  FIELDS,
  KUSTOMIZE_FIELDS,
  METADATA_FIELDS,
  PARAMETER_FIELDS,
  REPO_REF_FIELDS,
  ROOT_FIELDS,
  UNSUPPORTED,
} from './fields.ts';
import type { VersionFields } from './fields.ts';
import { KFDEF_GROUP, KFDEF_VERSIONS, SHIPPED_REPO } from './kfdef.ts';
import type { KfDef } from './kfdef.ts';
import { nameProblem } from './name.ts';
import { Problems } from './problems.ts';
import { createReader, rootPlace } from './yaml-place.ts';
import type { Place, Reader } from './yaml-place.ts';

export interface KfDefSource {
  readonly text: string;
  /** For messages. */
  readonly file: string;
  /** Relative repository paths are relative to it. */
  readonly directory: string;
  readonly catalog?: Catalog;
}

export interface ParsedKfDef {
  readonly kfdef: KfDef;
  /** The document with its comments, for edits. */
  readonly document: Document.Parsed;
}

/** The namespace that the shipped packages are written for. */
const SHIPPED_NAMESPACE = 'kubeflow';

/** One application as read, with the places that later checks point at. */
export interface ApplicationPlaces {
  readonly name: string;
  readonly place: Place;
  readonly repo: string;
  readonly repoPlace: Place;
  readonly path: string | undefined;
  readonly pathPlace: Place;
  readonly overlays: readonly { readonly value: string; readonly place: Place }[];
  readonly parameters: readonly { readonly name: string; readonly value: string; readonly place: Place }[];
}

/** Reads a KfDef; throws `KFDEF_INVALID` listing all mistakes with line, caret and hint. */
export function parseKfDef(source: KfDefSource): ParsedKfDef {
  const problems = new Problems(source.text, source.file);
  const document = parseDocument(source.text, problems);
  const read = createReader(document, problems);
  const fields = readEnvelope(read, rootPlace(document), problems);
  const metadata = readMetadata(read, fields.root('metadata'));
  const spec = read.map(fields.root('spec'), fields.version.spec);
  for (const [name, instead] of Object.entries(UNSUPPORTED)) {
    if (spec !== undefined && spec(name).node !== undefined) read.problem(spec(name), 'is not supported', instead);
  }
  const repos = spec === undefined ? new Map<string, string>() : readRepos(read, spec('repos'), { fields, source });
  const applicationsPlace = spec?.('applications');
  const places = applicationsPlace === undefined ? [] : readApplications(read, applicationsPlace);
  if (places.length === 0 && spec !== undefined) {
    read.problem(
      spec('applications'),
      'names no application',
      'Start from a preset: kfctl init NAME --config=existing_arrikto',
    );
  }
  if (fields.root('spec').node === undefined) read.problem(fields.root('spec'), 'is required');
  const shipped = places.find(({ repo }) => repo === SHIPPED_REPO && !repos.has(repo));
  if (shipped !== undefined && metadata.namespace !== SHIPPED_NAMESPACE) {
    const message = `must be ${SHIPPED_NAMESPACE}: the packages that kfctl ships live there`;
    read.problem(read.map(fields.root('metadata'), METADATA_FIELDS)?.('namespace') ?? fields.root('metadata'), message);
  }
  checkApplications(places, { read, repos, catalog: source.catalog ?? diskCatalog, shipped: shippedPackages() });
  problems.finish();
  const applications = places.map((application) => ({
    name: application.name,
    repo: application.repo,
    path: application.path ?? '',
    overlays: application.overlays.map(({ value }) => value),
    parameters: application.parameters.map(({ name, value }) => ({ name, value })),
  }));
  return { document, kfdef: { apiVersion: fields.apiVersion, ...metadata, applications, repos } };
}

function parseDocument(text: string, problems: Problems): Document.Parsed {
  const documents = parseAllDocuments(text, { lineCounter: new LineCounter(), prettyErrors: false });
  const all = Array.isArray(documents) ? documents : [];
  for (const error of all.flatMap((document) => document.errors)) {
    problems.add({ span: [error.pos[0], error.pos[1]], path: '', message: `not YAML: ${error.message}` });
  }
  problems.finish();
  const document = all[0];
  if (document === undefined || all.length > 1 || document.contents === null) {
    const message = all.length > 1 ? 'holds more than one YAML document' : 'is empty';
    problems.add({ span: [0, 1], path: '', message, hint: 'A configuration is one KfDef.' });
  }
  problems.finish();
  return document as Document.Parsed;
}

interface Envelope {
  readonly root: (name: string) => Place;
  readonly apiVersion: string;
  readonly version: VersionFields;
}

function readEnvelope(read: Reader, place: Place, problems: Problems): Envelope {
  const root = read.map(place, place.node === undefined ? [] : ROOT_FIELDS);
  if (root === undefined) {
    problems.finish();
    throw new TypeError('a document without contents was refused before');
  }
  const kind = read.required(root('kind'));
  const hint = 'kfctl reads a KfDef; see the presets: kfctl init NAME --config=existing_arrikto';
  if (kind !== undefined && kind !== 'KfDef') read.problem(root('kind'), `is ${kind}, not KfDef`, hint);
  const apiVersion = read.required(root('apiVersion')) ?? '';
  const [group, version = ''] = apiVersion.split('/');
  const known = KFDEF_VERSIONS.map((name) => `${KFDEF_GROUP}/${name}`).join(', ');
  const fields = group === KFDEF_GROUP ? FIELDS[version] : undefined;
  if (fields === undefined && apiVersion !== '')
    read.problem(root('apiVersion'), 'is no KfDef version', `known: ${known}`);
  // What is no KfDef at all would only bring follow-up mistakes.
  if (fields === undefined || kind !== 'KfDef') problems.finish();
  return { root, apiVersion, version: fields ?? { spec: [], repo: [] } };
}

function readMetadata(read: Reader, place: Place): { name: string; namespace: string } {
  const metadata = read.map(place, METADATA_FIELDS);
  const name = metadata === undefined ? undefined : read.text(metadata('name'));
  const problem = name === undefined ? undefined : nameProblem(name);
  if (metadata !== undefined && problem !== undefined) read.problem(metadata('name'), problem);
  const namespace = (metadata === undefined ? undefined : read.text(metadata('namespace'))) ?? 'kubeflow';
  if (metadata !== undefined && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace)) {
    read.problem(metadata('namespace'), `${JSON.stringify(namespace)} is no namespace name`);
  }
  return { name: name ?? 'kubeflow', namespace };
}

interface RepoContext {
  readonly fields: Envelope;
  readonly source: KfDefSource;
}

function readRepos(read: Reader, place: Place, { fields, source }: RepoContext): ReadonlyMap<string, string> {
  const repos = new Map<string, string>();
  for (const item of read.list(place)) {
    const repo = read.map(item, fields.version.repo);
    const name = repo === undefined ? undefined : read.required(repo('name'));
    const uri = repo === undefined ? undefined : read.required(repo('uri'));
    if (repo === undefined || name === undefined || uri === undefined) continue;
    if (repos.has(name)) read.problem(repo('name'), `repository ${name} is named twice`);
    if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) {
      const hint = `Give the path of a local directory, or leave the entry out to use the packages that kfctl ships.`;
      read.problem(repo('uri'), 'only local directories can be read', hint);
    } else {
      repos.set(name, path.resolve(source.directory, uri));
    }
  }
  return repos;
}

function readApplications(read: Reader, place: Place): ApplicationPlaces[] {
  return read.list(place).flatMap((item): ApplicationPlaces[] => {
    const application = read.map(item, APPLICATION_FIELDS);
    const name = application === undefined ? undefined : read.required(application('name'));
    const kustomize =
      application === undefined ? undefined : read.map(application('kustomizeConfig'), KUSTOMIZE_FIELDS);
    if (application === undefined || name === undefined) return [];
    if (kustomize === undefined) {
      if (application('kustomizeConfig').node === undefined)
        read.problem(application('kustomizeConfig'), 'is required');
      return [];
    }
    const repoRef = read.map(kustomize('repoRef'), REPO_REF_FIELDS);
    if (repoRef === undefined) read.problem(kustomize('repoRef'), 'is required');
    const repoPlace = repoRef?.('name') ?? item;
    const pathPlace = repoRef?.('path') ?? item;
    return [
      {
        name,
        place: application('name'),
        repo: (repoRef === undefined ? undefined : read.text(repoPlace)) ?? SHIPPED_REPO,
        repoPlace,
        path: repoRef === undefined ? undefined : read.required(pathPlace),
        pathPlace,
        overlays: read.list(kustomize('overlays')).flatMap((overlay) => {
          const value = read.required(overlay);
          return value === undefined ? [] : [{ value, place: overlay }];
        }),
        parameters: read.list(kustomize('parameters')).flatMap((parameter) => readParameter(read, parameter)),
      },
    ];
  });
}

function readParameter(read: Reader, place: Place): { name: string; value: string; place: Place }[] {
  const parameter = read.map(place, PARAMETER_FIELDS);
  const name = parameter === undefined ? undefined : read.required(parameter('name'));
  if (parameter === undefined || name === undefined) return [];
  const valuePlace = parameter('value');
  const value = read.text(valuePlace) ?? '';
  // One line of params.env holds one value: a line break in it would be another parameter.
  if (/[\r\n\0]/.test(value)) read.problem(valuePlace, 'must be one line');
  return [{ name, value, place: isScalar(parameter('name').node) ? parameter('name') : place }];
}
