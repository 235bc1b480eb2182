/** Checks that imports point down only: processes -> libraries -> core, through the doors of each package. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const root = path.dirname(import.meta.dirname);

/** What each package may import; a package that is not listed may not be imported by anything. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kustomize: [],
  manifests: [],
  http: ['core'],
  oidc: ['core'],
  kube: ['core'],
  kfctl: ['core', 'kube', 'kustomize', 'manifests'],
  identity: ['core', 'http', 'kube', 'oidc'],
  authservice: ['core', 'http', 'kube', 'oidc'],
  gateway: ['core', 'http', 'kube', 'oidc'],
  'load-balancer': ['core', 'http', 'kube'],
  profiles: ['core', 'http', 'kube'],
  dashboard: ['core', 'http', 'kube', 'oidc'],
  cluster: ['core', 'kube'],
  testkit: ['core', 'kube'],
};

/** Doors beside `src/index.ts`, and who may use them: parts that most importers of a package would load in vain. */
const SIDE_DOORS: readonly string[] = ['gateway @kfctl/http/http2'];

/** Files besides mains and configurations that read the environment, each with its reason. */
const ENVIRONMENT_READERS: Readonly<Record<string, string>> = {
  'packages/core/src/process/listen.ts': 'the node tells every listener of a pod, whatever program it is, its address',
  'packages/cluster/src/node/images/openldap/start-slapd.ts': 'the main of an osixia/openldap container',
  'packages/cluster/src/node/preload.ts': 'a preload: it runs before any main',
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly specifier: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const from = file.split('/')[1] ?? '';
  const found = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)'([^']+)'/gm);
  return [...found].map((match) => ({ file, from, specifier: match[1] ?? '' }));
}

const sources = globSync('packages/*/src/**/*.ts', { cwd: root });
/** What tests are set up with, beside what they test. */
const isRig = (file: string): boolean => /\/rig(\/|\.ts$)/.test(file);
const isTest = (file: string): boolean =>
  file.endsWith('.test.ts') || file.startsWith('packages/testkit/') || isRig(file);

test('packages import only what lies below them', () => {
  const wrong = sources
    .filter((file) => !isTest(file))
    .flatMap(importsOf)
    .filter(({ specifier }) => specifier.startsWith('@kfctl/'))
    .filter(({ from, specifier }) => !(ARROWS[from] ?? []).includes(specifier.slice('@kfctl/'.length)))
    .filter(({ from, specifier }) => !SIDE_DOORS.includes(`${from} ${specifier}`));
  assert.deepEqual(wrong, []);
});

test('no relative import leaves its package', () => {
  const wrong = sources
    .filter((file) => !isTest(file))
    .flatMap(importsOf)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .filter(({ file, from, specifier }) => {
      const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
      return !target.startsWith(`packages/${from}/`);
    });
  assert.deepEqual(wrong, []);
});

test('rigs are imported by tests alone', () => {
  const wrong = sources
    .filter((file) => !isTest(file))
    .flatMap(importsOf)
    .filter(({ specifier }) => isRig(specifier));
  assert.deepEqual(wrong, []);
});

test('only main.ts and config files read the environment', () => {
  const allowed = /\/(main|config|env)\.ts$|\/config\/|\/bin\//;
  const wrong = sources
    .filter((file) => !isTest(file) && !allowed.test(file))
    .filter((file) => readFileSync(path.join(root, file), 'utf8').includes('process.env'));
  assert.deepEqual(wrong.toSorted(), Object.keys(ENVIRONMENT_READERS).toSorted());
});

test('programs that stay do not import builtins that load what nobody asked for', () => {
  // Importing one reads all its exports, and with them getters: node:http has WebSocket (undici, 13 MB), node:util worker threads.
  const heavy = /^import (?!type )[^;]*? from 'node:(http|util)';$/m;
  const wrong = sources
    .filter((file) => !isTest(file) && !/^packages\/(kfctl|kustomize)\//.test(file))
    .filter((file) => heavy.test(readFileSync(path.join(root, file), 'utf8')));
  assert.deepEqual(wrong, []);
});

test('every package is listed and every module opens with a sentence', () => {
  const packages = globSync('packages/*/package.json', { cwd: root }).map((file) => file.split('/')[1] ?? '');
  assert.deepEqual(packages.toSorted(), Object.keys(ARROWS).toSorted());
  const silent = sources.filter(
    (file) => !isTest(file) && !/^(#!.*\n)?\/\*\*/.test(readFileSync(path.join(root, file), 'utf8')),
  );
  assert.deepEqual(silent, []);
});
