import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { isAppError } from '@kfctl/core';
import { parseKfDef } from './parse-kfdef.ts';
import type { KfDef } from './kfdef.ts';
import { readConfig } from './read-config.ts';

const parse = (text: string, directory = '/'): KfDef => parseKfDef({ text, file: 'app.yaml', directory }).kfdef;

function mistakes(text: string, directory = '/'): string {
  try {
    parse(text, directory);
  } catch (error) {
    assert.ok(isAppError(error));
    assert.equal(error.code, 'KFDEF_INVALID');
    return error.message;
  }
  throw new assert.AssertionError({ message: 'nothing was found wrong' });
}

const kfdef = (spec: string, version = 'v1'): string =>
  `apiVersion: kfdef.apps.kubeflow.org/${version}\nkind: KfDef\nmetadata:\n  name: kubeflow\nspec:\n${spec}`;

const DEX = `  applications:
  - name: dex
    kustomizeConfig:
      repoRef:
        name: manifests
        path: dex
`;

for (const preset of ['existing_arrikto', 'kfctl_existing_arrikto.yaml', 'local']) {
  test(`reads the preset ${preset}`, async () => {
    const { text } = await readConfig(preset, '/');
    const { applications, name, namespace } = parse(text);
    assert.deepEqual([name, namespace], ['kubeflow', 'kubeflow']);
    assert.equal(applications[0]?.name, 'namespaces');
    assert.equal(
      applications.some((application) => application.path === 'metallb'),
      preset === 'local',
    );
  });
}

test('reads the three versions alike', () => {
  const read = ['v1alpha1', 'v1beta1', 'v1'].map((version) => parse(kfdef(DEX, version)).applications);
  assert.deepEqual(read[0], read[1]);
  assert.deepEqual(read[1], read[2]);
});

test('accepts the fields of kfctl 0.6 in v1alpha1 and refuses them in v1', () => {
  const spec = `  platform: existing_arrikto\n  useIstio: true\n${DEX}`;
  assert.equal(parse(kfdef(spec, 'v1alpha1')).applications.length, 1);
  assert.match(mistakes(kfdef(spec)), /spec\.platform: unknown field/);
});

test('takes numbers and booleans as the text that was written', () => {
  const spec = kfdef(`  applications:
  - name: oidc-authservice
    kustomizeConfig:
      repoRef: {name: manifests, path: oidc-authservice}
      parameters:
      - {name: session_max_age, value: 086400}
      - {name: userid-prefix, value: true}
`);
  const values = parse(spec).applications[0]?.parameters.map(({ value }) => value);
  assert.deepEqual(values, ['086400', 'true']);
});

test('reports every mistake at once with line, caret and hint', () => {
  const report = mistakes(`apiVersion: kfdef.apps.kubeflow.org/v1
kind: KfDef
metadata:
  name: Kube_Flow
spec:
  aplications: []
  applications:
  - name: dex
    kustomizeConfig:
      repoRef:
        name: manifests
        path: dexx
      overlays: [istio]
  - name: dex
    kustomizeConfig:
      repoRef: {name: manifests, path: dex}
      overlays:
      - ldap
      parameters:
      - name: isuer
        value: x
`);
  assert.equal(
    report,
    `app.yaml has 6 mistakes:

app.yaml:4:9: metadata.name: "Kube_Flow" has upper-case letters; use lower case
    4 |   name: Kube_Flow
      |         ^^^^^^^^^

app.yaml:6:3: spec.aplications: unknown field
    6 |   aplications: []
      |   ^^^^^^^^^^^
  hint: did you mean applications?

app.yaml:12:15: spec.applications[0].kustomizeConfig.repoRef.path: unknown application dexx
   12 |         path: dexx
      |               ^^^^
  hint: did you mean dex? known applications: centraldashboard, dex, istio, istio-crds, kubeflow-roles, metallb, namespaces, oidc-authservice, profiles

app.yaml:14:11: spec.applications[1].name: application dex is named twice
   14 |   - name: dex
      |           ^^^

app.yaml:18:9: spec.applications[1].kustomizeConfig.overlays[0]: application dex has no overlay ldap
   18 |       - ldap
      |         ^^^^
  hint: known overlays: none

app.yaml:20:15: spec.applications[1].kustomizeConfig.parameters[0].name: application dex has no parameter isuer
   20 |       - name: isuer
      |               ^^^^^
  hint: did you mean issuer? known parameters: issuer, static_email, static_username, static_user_id, client_id, oidc_redirect_uris, namespace`,
  );
});

for (const [what, text, expected] of [
  ['no YAML', 'a: b: c\n', /app\.yaml:1:4: not YAML/],
  ['a YAML list', '- a\n', /must be a mapping/],
  ['an empty file', '', /is empty/],
  ['two documents', 'a: 1\n---\nb: 2\n', /more than one YAML document/],
  ['another kind', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n', /kind: is ConfigMap, not KfDef/],
  [
    'an unknown version',
    'apiVersion: kfdef.apps.kubeflow.org/v9\nkind: KfDef\nspec: {}\n',
    /is no KfDef version\n.*\n.*\n.*known: .*v1alpha1/,
  ],
  ['no applications', kfdef('  applications: []\n'), /names no application/],
  ['a spec that is missing', 'apiVersion: kfdef.apps.kubeflow.org/v1\nkind: KfDef\n', /spec: is required/],
  [
    'a remote repository',
    kfdef(`${DEX}  repos:\n  - {name: manifests, uri: "https://x/y.tar.gz"}\n`),
    /only local directories/,
  ],
  ['an unknown repository', kfdef(DEX.replace('name: manifests', 'name: other')), /unknown repository other/],
  ['components of kfctl 0.6', kfdef(`  components: [argo]\n${DEX}`, 'v1alpha1'), /spec\.components: is not supported/],
  [
    'a parameter of two lines',
    kfdef(`${DEX}      parameters:\n      - name: issuer\n        value: "a\\nevil=1"\n`),
    /must be one line/,
  ],
  [
    'another namespace',
    kfdef(DEX).replace('name: kubeflow', 'name: kubeflow\n  namespace: elsewhere'),
    /must be kubeflow/,
  ],
  ['a duplicate key', kfdef(`${DEX}  version: a\n  version: b\n`), /not YAML: .*unique/],
] as const) {
  test(`refuses ${what}`, () => assert.match(mistakes(text), expected));
}

test('an alias bomb is refused or stays small', () => {
  const levels = Array.from(
    { length: 12 },
    (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(12)}]`,
  );
  assert.match(mistakes(`a0: &a0 [x]\n${levels.join('\n')}\n`), /mistake|excessive/i);
});

test('reads packages of a local directory and never leaves it', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'kfdef-'));
  try {
    mkdirSync(path.join(directory, 'repo/mine/base'), { recursive: true });
    mkdirSync(path.join(directory, 'outside/base'), { recursive: true });
    for (const place of ['repo/mine', 'outside'])
      writeFileSync(path.join(directory, place, 'base/kustomization.yaml'), 'resources: []\n');
    symlinkSync(path.join(directory, 'outside'), path.join(directory, 'repo/link'));
    const spec = (packagePath: string): string =>
      kfdef(`  applications:
  - name: mine
    kustomizeConfig:
      repoRef: {name: own, path: ${packagePath}}
  repos:
  - {name: own, uri: ./repo}
`);
    assert.equal(parse(spec('mine'), directory).repos.get('own'), path.join(directory, 'repo'));
    for (const escape of ['../outside', 'link', path.join(directory, 'outside')]) {
      assert.match(mistakes(spec(escape), directory), /unknown application/);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
