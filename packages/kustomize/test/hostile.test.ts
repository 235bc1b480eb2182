import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { KustomizeError, type KustomizeErrorCode, build, createMemoryFileSystem, renderYaml } from '../src/index.ts';

const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n';

function refuse(
  files: Record<string, string | Uint8Array>,
  code: KustomizeErrorCode,
  directory = '/app',
): KustomizeError {
  try {
    renderYaml(build({ directory, fileSystem: createMemoryFileSystem(files) }).nodes);
  } catch (error) {
    assert.ok(error instanceof KustomizeError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`expected ${code}`);
}

test('a file outside its kustomization is refused, and read when the restriction is lifted', () => {
  const files = { '/app/kustomization.yaml': 'resources: [../secret.yaml]\n', '/secret.yaml': service };
  refuse(files, 'FILE_OUTSIDE_ROOT');
  const lifted = build({ directory: '/app', fileSystem: createMemoryFileSystem(files), loadRestrictor: 'none' });
  assert.equal(lifted.nodes.length, 1);
});

test('generators, patches and env files cannot read outside either', () => {
  for (const field of [
    'configMapGenerator: [{name: a, files: [../secret.yaml]}]',
    'secretGenerator: [{name: a, envs: [/secret.yaml]}]',
    'resources: [s.yaml]\npatches: [{path: ../secret.yaml}]',
    'resources: [s.yaml]\nconfigurations: [../secret.yaml]',
    'resources: [s.yaml]\nreplacements: [{path: ../secret.yaml}]',
  ]) {
    refuse(
      { '/app/kustomization.yaml': `${field}\n`, '/app/s.yaml': service, '/secret.yaml': service },
      'FILE_OUTSIDE_ROOT',
    );
  }
});

const scratch = await mkdtemp(join(tmpdir(), 'kustomize-hostile-'));
after(() => rm(scratch, { recursive: true, force: true }));

async function onDisk(name: string, files: Record<string, string>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(scratch, name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return join(scratch, name);
}

test('a symbolic link that leads outside is refused', async () => {
  const root = await onDisk('link', {
    'app/kustomization.yaml': 'resources: [inside.yaml]\n',
    'outside.yaml': service,
  });
  await symlink('../outside.yaml', join(root, 'app/inside.yaml'));
  assert.throws(() => build({ directory: join(root, 'app') }), { code: 'FILE_OUTSIDE_ROOT' });
  assert.equal(build({ directory: join(root, 'app'), loadRestrictor: 'none' }).nodes.length, 1);
});

test('symbolic links in a circle end in an error', async () => {
  const root = await onDisk('circle', { 'kustomization.yaml': 'resources: [a.yaml]\n' });
  await symlink('b.yaml', join(root, 'a.yaml'));
  await symlink('a.yaml', join(root, 'b.yaml'));
  assert.throws(() => build({ directory: root }));
});

test('bases in a circle are refused', () => {
  const files = { '/a/kustomization.yaml': 'resources: [../b]\n', '/b/kustomization.yaml': 'resources: [../a]\n' };
  refuse(files, 'BASE_CYCLE', '/a');
  refuse({ '/a/kustomization.yaml': 'resources: [.]\n' }, 'BASE_CYCLE', '/a');
  refuse(
    { '/a/b/kustomization.yaml': 'resources: [../]\n', '/a/kustomization.yaml': 'resources: [b]\n' },
    'BASE_CYCLE',
    '/a',
  );
});

test('components in a circle and bases without end are refused', () => {
  const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
  refuse(
    {
      '/a/kustomization.yaml': `${component}components: [../b]\n`,
      '/b/kustomization.yaml': `${component}components: [../a]\n`,
    },
    'BASE_CYCLE',
    '/a',
  );
  const chain = (length: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length }, (_, at) => [
        `/b${at}/kustomization.yaml`,
        at + 1 < length ? `resources: [../b${at + 1}]\n` : 'namePrefix: x-\n',
      ]),
    );
  build({ directory: '/b0', fileSystem: createMemoryFileSystem(chain(200)) });
  assert.match(refuse(chain(201), 'BASE_CYCLE', '/b0').hint ?? '', /innermost/u);
});

test('an alias bomb is refused', () => {
  const levels = Array.from(
    { length: 12 },
    (_, at) => `l${at + 1}: &l${at + 1} [${Array.from({ length: 9 }, () => `*l${at}`).join(', ')}]`,
  );
  const bomb = `${service}l0: &l0 [a, b, c]\n${levels.join('\n')}\n`;
  refuse({ '/app/kustomization.yaml': 'resources: [a.yaml]\n', '/app/a.yaml': bomb }, 'YAML_LIMIT');
  refuse({ '/app/kustomization.yaml': bomb }, 'YAML_LIMIT');
});

test('an anchor that holds itself is refused', () => {
  refuse(
    { '/app/kustomization.yaml': 'resources: [a.yaml]\n', '/app/a.yaml': `${service}a: &a {b: *a}\n` },
    'YAML_SYNTAX',
  );
});

test('nesting without end is refused', () => {
  const deep = `${service}a: ${'['.repeat(100_000)}\n`;
  refuse({ '/app/kustomization.yaml': 'resources: [a.yaml]\n', '/app/a.yaml': deep }, 'YAML_LIMIT');
  const block = `${service}a:\n${Array.from({ length: 5000 }, (_, at) => `${' '.repeat(at + 1)}k:\n`).join('')}`;
  refuse({ '/app/kustomization.yaml': 'resources: [a.yaml]\n', '/app/a.yaml': block }, 'YAML_LIMIT');
});

test('a file that is too large is refused before it is read', () => {
  const fileSystem = createMemoryFileSystem({
    '/app/kustomization.yaml': 'resources: [a.yaml]\n',
    '/app/a.yaml': 'x'.repeat(2000),
  });
  assert.throws(() => build({ directory: '/app', fileSystem, maxFileBytes: 1000 }), { code: 'FILE_TOO_LARGE' });
});

test('a map of very many keys is read in reasonable time', () => {
  const many = `${service}data:\n${Array.from({ length: 100_000 }, (_, at) => `  k${at}: v\n`).join('')}`;
  const fileSystem = createMemoryFileSystem({
    '/app/kustomization.yaml': 'resources: [a.yaml]\n',
    '/app/a.yaml': many,
  });
  assert.equal(build({ directory: '/app', fileSystem }).nodes.length, 1);
});

test('text that is not UTF-8 is refused, but may be the content of a generated object', () => {
  const bytes = new Uint8Array([0x61, 0xff, 0xfe, 0x00]);
  refuse({ '/app/kustomization.yaml': 'resources: [a.yaml]\n', '/app/a.yaml': bytes }, 'NOT_UTF8');
  refuse({ '/app/kustomization.yaml': bytes }, 'NOT_UTF8');
  const fileSystem = createMemoryFileSystem({
    '/app/kustomization.yaml': 'configMapGenerator: [{name: a, files: [b]}]\n',
    '/app/b': bytes,
  });
  assert.match(renderYaml(build({ directory: '/app', fileSystem }).nodes), /binaryData:\n {2}b: Yf\/\+AA==\n/u);
});

test('control characters are refused with their line', () => {
  const error = refuse(
    { '/app/kustomization.yaml': 'resources: [a.yaml]\n', '/app/a.yaml': `${service}a: b\u0001\n` },
    'YAML_SYNTAX',
  );
  assert.equal(error.line, 4);
});

test('keys that are special to JavaScript are only keys', () => {
  const source = `${service}__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n`;
  const patch = `[{"op": "add", "path": "/__proto__/more", "value": 1}, {"op": "add", "path": "/toString", "value": 2}]`;
  const fileSystem = createMemoryFileSystem({
    '/app/kustomization.yaml': `resources: [a.yaml]\npatches: [{target: {kind: Service}, patch: '${patch}'}]\ncommonLabels: {__proto__: x, hasOwnProperty: z}\n`,
    '/app/a.yaml': source,
  });
  const text = renderYaml(build({ directory: '/app', fileSystem }).nodes);
  assert.match(text, /^__proto__:\n {2}more: 1\n {2}polluted: true\n/mu);
  assert.equal(Reflect.get({}, 'polluted'), undefined);
  assert.equal(Reflect.get({}, 'more'), undefined);
});

test('patterns that would run away are refused', () => {
  const name = 'a'.repeat(60);
  const files = {
    '/app/kustomization.yaml': `resources: [a.yaml]\npatches: [{target: {name: "(a+)+b"}, patch: "[{\\"op\\": \\"remove\\", \\"path\\": \\"/spec\\"}]"}]\n`,
    '/app/a.yaml': `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\n`,
  };
  refuse(files, 'KUSTOMIZATION_INVALID');
});

test('what is not supported says so and says what to do', () => {
  for (const field of [
    'helmCharts: [{name: x}]',
    'generators: ["{apiVersion: x/v1, kind: Exec, metadata: {name: a}}"]',
    'transformers: ["{apiVersion: x/v1, kind: Exec, metadata: {name: a}}"]',
    'validators: [x.yaml]',
    'openapi: {version: v1.99.0}',
  ]) {
    const error = refuse({ '/app/kustomization.yaml': `${field}\n` }, 'NOT_SUPPORTED');
    assert.ok(error.hint !== undefined && error.hint.length > 10);
  }
});

test('mistakes name file, line and field', () => {
  const unknown = refuse({ '/app/kustomization.yaml': 'namePrefix: a\nresource: [x]\n' }, 'KUSTOMIZATION_INVALID');
  assert.deepEqual(
    [unknown.file, unknown.line, unknown.field, unknown.hint],
    ['/app/kustomization.yaml', 2, 'resource', 'did you mean "resources"?'],
  );
  const wrong = refuse(
    { '/app/kustomization.yaml': 'resources: []\nimages:\n- name: a\n  newTag: 1.10\n' },
    'KUSTOMIZATION_INVALID',
  );
  assert.deepEqual([wrong.line, wrong.field, wrong.hint], [4, 'images[0].newTag', 'write it in quotes: "1.10"']);
  const broken = refuse(
    { '/app/kustomization.yaml': 'resources: [a.yaml]\n', '/app/a.yaml': `${service}---\na: b\n c: d\n` },
    'YAML_SYNTAX',
  );
  assert.deepEqual([broken.file, broken.line], ['/app/a.yaml', 6]);
  const missing = refuse({ '/app/kustomization.yaml': 'resources: [gone.yaml]\n' }, 'FILE_NOT_FOUND');
  assert.equal(missing.field, 'resources[0]');
});
