/** Each error code: when it comes, where it points, and what it advises. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BuildOptions,
  KustomizeError,
  type KustomizeErrorCode,
  build,
  createHttpsFetcher,
  createMemoryFileSystem,
  renderYaml,
  runKustomize,
} from '../src/index.ts';

const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n';
const own = 'resources:\n- s.yaml\n';

interface Mistake {
  /** `kustomization.yaml` of /app, where `s.yaml` is a Service named web. */
  readonly fields: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly options?: Partial<BuildOptions>;
  /** `file:line: field`, as far as they are known. */
  readonly place: string;
  readonly reason: RegExp;
  readonly hint?: RegExp;
}

/** Errors of building; those of fetching and writing are below. */
const mistakes: Readonly<Record<Exclude<KustomizeErrorCode, 'REMOTE_FAILED' | 'OUTPUT_FAILED'>, Mistake>> = {
  YAML_SYNTAX: { fields: 'resources: [\n', place: 'kustomization.yaml:2', reason: /did not find expected/u },
  YAML_LIMIT: { fields: `resources: ${'['.repeat(20_000)}\n`, place: 'kustomization.yaml:1', reason: /nest|deep/u },
  YAML_VALUE: {
    fields: own,
    files: { '/app/s.yaml': `${service}spec: {a: 1, a: 2}\n` },
    place: ': Service web',
    reason: /already/u,
  },
  NOT_UTF8: {
    fields: own,
    files: { '/app/s.yaml': new Uint8Array([0xff]) },
    place: 's.yaml: resources[0]',
    reason: /not UTF-8/u,
  },
  FILE_NOT_FOUND: { fields: 'resources:\n- own.yaml\n', place: ': resources[0]', reason: /no such file/u },
  FILE_TOO_LARGE: {
    fields: own,
    options: { maxFileBytes: 20 },
    place: 's.yaml: resources[0]',
    reason: /more than the 20 allowed/u,
  },
  FILE_OUTSIDE_ROOT: {
    fields: 'resources:\n- ../outside.yaml\n',
    place: 'kustomization.yaml:2: resources[0]',
    reason: /not in or below/u,
    hint: /load-restrictor/u,
  },
  KUSTOMIZATION_MISSING: {
    fields: 'resources:\n- empty\n',
    files: { '/app/empty/a.yaml': '' },
    place: 'kustomization.yaml:2: resources[0]',
    reason: /unable to find one of/u,
  },
  KUSTOMIZATION_AMBIGUOUS: {
    fields: own,
    files: { '/app/Kustomization': own },
    place: '',
    reason: /multiple kustomization files/u,
    hint: /keep one of/u,
  },
  KUSTOMIZATION_INVALID: {
    fields: `${own}namePrefx: a\n`,
    place: 'kustomization.yaml:3: namePrefx',
    reason: /unknown field/u,
    hint: /namePrefix/u,
  },
  BASE_CYCLE: {
    fields: 'resources:\n- .\n',
    place: 'kustomization.yaml:2: resources[0]',
    reason: /cycle/u,
    hint: /base/u,
  },
  RESOURCE_INVALID: {
    fields: own,
    files: { '/app/s.yaml': 'apiVersion: v1\n\nmetadata: {name: a}\n' },
    place: 's.yaml:1: kind',
    reason: /missing kind/u,
  },
  RESOURCE_CONFLICT: {
    fields: 'resources:\n- s.yaml\n- s.yaml\n',
    place: 'kustomization.yaml:3: resources[1]',
    reason: /already registered/u,
    hint: /list it once/u,
  },
  GENERATOR_INVALID: {
    fields: 'configMapGenerator:\n- name: a\n  literals: [novalue]\n',
    place: 'kustomization.yaml:2: configMapGenerator[0].literals',
    reason: /expected key=value/u,
  },
  PATCH_INVALID: {
    fields: `${own}patches:\n- target: {kind: Service}\n  patch: '[{"op": "zap", "path": "/a"}]'\n`,
    place: 'kustomization.yaml:4: patches[0]',
    reason: /unexpected JSON patch operation 'zap'/u,
    hint: /use add/u,
  },
  PATCH_FAILED: {
    fields: `${own}patches:\n- target: {kind: Service}\n  patch: '[{"op": "remove", "path": "/a"}]'\n`,
    place: 'kustomization.yaml:4: patches[0]',
    reason: /missing path '\/a'/u,
  },
  TARGET_NOT_FOUND: {
    fields: `${own}patches:\n- patch: '{apiVersion: v1, kind: Service, metadata: {name: x}}'\n`,
    place: 'kustomization.yaml:4: patches[0]',
    reason: /no matches for Id/u,
    hint: /name, namespace/u,
  },
  FIELD_INVALID: {
    fields: `${own}commonLabels: {a: b}\n`,
    files: { '/app/s.yaml': `${service}  labels: [a]\n` },
    place: 'kustomization.yaml:3: commonLabels',
    reason: /found a sequence/u,
  },
  REPLACEMENT_INVALID: {
    fields: `${own}replacements:\n- source: {kind: Nope}\n  targets: [{select: {kind: Service}}]\n`,
    place: 'kustomization.yaml:4: replacements.source',
    reason: /nothing selected/u,
  },
  VAR_INVALID: {
    fields: `${own}vars:\n- name: V\n  objref: {apiVersion: v1, kind: Service, name: x}\n`,
    place: 'kustomization.yaml:4: vars.objref',
    reason: /cannot be mapped/u,
    hint: /must be those of a resource/u,
  },
  REFERENCE_AMBIGUOUS: {
    fields: 'resources: [one, two, role.yaml]\nnamePrefix: p-\n',
    files: {
      '/app/one/kustomization.yaml': 'namespace: one\nconfigMapGenerator: [{name: c, literals: [a=1]}]\n',
      '/app/two/kustomization.yaml': 'namespace: two\nconfigMapGenerator: [{name: c, literals: [a=2]}]\n',
      '/app/role.yaml':
        'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: [{resourceNames: [c]}]\n',
    },
    place: 'kustomization.yaml: rules/resourceNames',
    reason: /'c' in .* may mean/u,
    hint: /different names/u,
  },
  CONFIG_INVALID: {
    fields: `${own}configurations: [c.yaml]\n`,
    files: { '/app/c.yaml': '- a\n' },
    place: 'c.yaml:1',
    reason: /a configuration is a map/u,
  },
  NOT_SUPPORTED: {
    fields: 'validators:\n- v.yaml\n',
    place: 'kustomization.yaml:2: validators',
    reason: /not supported/u,
    hint: /validate the built output/u,
  },
  REMOTE_INVALID: {
    fields: 'resources:\n- http://example.org/a.yaml\n',
    place: 'kustomization.yaml:2: resources[0]',
    reason: /over https/u,
    hint: /keep a copy/u,
  },
  REMOTE_NOT_ALLOWED: {
    fields: 'resources:\n- https://example.org/a.yaml\n',
    place: 'kustomization.yaml:2: resources[0]',
    reason: /not vendored/u,
    hint: /kfctl vendor/u,
  },
  REMOTE_DIGEST: {
    fields: 'resources:\n- https://example.org/a.yaml\n',
    options: {
      remotes: {
        get: () => {
          throw new KustomizeError('REMOTE_DIGEST', 'not what the lock file pins');
        },
      },
    },
    place: 'kustomization.yaml:2: resources[0]',
    reason: /pins/u,
  },
};

function errorOf({ fields, files, options }: Mistake): KustomizeError {
  const all = { '/app/kustomization.yaml': fields, '/app/s.yaml': service, '/outside.yaml': service, ...files };
  try {
    renderYaml(build({ directory: '/app', fileSystem: createMemoryFileSystem(all), ...options }).nodes);
  } catch (error) {
    if (error instanceof KustomizeError) return error;
    throw error;
  }
  return assert.fail('no error');
}

function placeOf({ file, line, field }: KustomizeError): string {
  const where = [file?.replace(/^\/app\/?/u, ''), line].filter((part) => part !== undefined).join(':');
  return field === undefined ? where : `${where}: ${field}`;
}

for (const [code, mistake] of Object.entries(mistakes)) {
  test(`${code} says what, where and what to do`, () => {
    const error = errorOf(mistake);
    assert.deepEqual([error.code, placeOf(error)], [code, mistake.place]);
    assert.match(error.reason, mistake.reason);
    assert.match(error.hint ?? '', mistake.hint ?? /^/u);
  });
}

test('REMOTE_FAILED says what could not be fetched, and why', async () => {
  const fetcher = createHttpsFetcher({ fetch: async () => new Response('', { status: 503 }) });
  await assert.rejects(fetcher.fetch('https://example.org/a.yaml', 1), {
    code: 'REMOTE_FAILED',
    reason: 'cannot fetch https://example.org/a.yaml: status 503',
  });
});

test('OUTPUT_FAILED says what could not be written', () => {
  const errors: string[] = [];
  const directory = import.meta.dirname;
  const stderr = (text: string): void => void errors.push(text);
  const argv = ['../testdata', '-o', 'errors.test.ts/below/'];
  const code = runKustomize({ argv, directory, program: 'kustomize-js', stdout: () => undefined, stderr });
  assert.equal(code, 1);
  assert.match(errors.join(''), /^error: /u);
});
