/** The examples of the guides, read as the program reads them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger, systemClock } from '@kfctl/core';
import { parseConfig } from '../src/config/parse-config.ts';
import { CONNECTOR_TYPES } from '../src/connectors/registry.ts';
import { makeSamlKeys } from '../../testkit/src/saml-idp.ts';
import { HASH } from './test-identity.ts';

const GUIDES = path.join(import.meta.dirname, '../../../docs/guides');
const FRAME = 'issuer: https://kubeflow.example.com/dex\nstorage: {type: memory}\nweb: {http: 0.0.0.0:5556}\n';
const KNOWN: Record<string, string> = { DEX_EXPAND_ENV: 'true', ADMIN_HASH: HASH };
/** Whatever an example reads is there; the options of the command line are not given. */
const ENV = new Proxy(KNOWN, {
  get: (known, name) => (String(name).endsWith('_ADDR') ? undefined : (known[String(name)] ?? 'from-the-environment')),
});
// Another name for one that is shown.
const ALIASES: ReadonlySet<string> = new Set(['samlExperimental']);

const directory = mkdtempSync(path.join(tmpdir(), 'guides-'));
before(() => {
  KNOWN['SAML_CERTIFICATE'] = makeSamlKeys(directory, 'idp').certificate;
});
after(() => rmSync(directory, { recursive: true }));

function examples(guide: string): readonly string[] {
  const text = readFileSync(path.join(GUIDES, guide), 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
}

test('every connector has an example that opens without a complaint', async () => {
  const shown = new Set<string>();
  for (const example of examples('connectors.md')) {
    const { config, problems, warnings } = await parseConfig(FRAME + example, ENV);
    assert.deepEqual([...problems, ...warnings], [], example);
    assert.ok(config);
    for (const { id, type, open } of config.connectors) {
      shown.add(type);
      // Google's reads the key of its service account when somebody logs in, not before.
      const connector = await open({ id, log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' });
      await connector.close?.();
    }
  }
  assert.deepEqual(
    [...shown].toSorted(),
    Object.keys(CONNECTOR_TYPES)
      .filter((type) => !ALIASES.has(type))
      .toSorted(),
  );
});

test('the file of the migration guide is read without a complaint', async () => {
  for (const example of examples('migrate-from-dex.md')) {
    const { problems, warnings } = await parseConfig(example, ENV);
    assert.deepEqual([...problems, ...warnings], []);
  }
});

test('the example of the management API is read without a complaint', async () => {
  for (const example of examples('management-api.md')) {
    const { config, problems, warnings } = await parseConfig(`${FRAME}enablePasswordDB: true\n${example}`, ENV);
    assert.deepEqual([...problems, ...warnings], []);
    assert.ok(config?.grpc);
  }
});

test('the examples about login pages are read without a complaint', async () => {
  // What becomes of the kustomization is tested where applications are built.
  const configurations = examples('login-pages.md').filter((example) => example.startsWith('frontend:'));
  assert.equal(configurations.length, 2);
  for (const example of configurations) {
    const { problems, warnings } = await parseConfig(`${FRAME}enablePasswordDB: true\n${example}`, ENV);
    assert.deepEqual([...problems, ...warnings], []);
  }
});

test('the example about login sessions is read without a complaint, and turns them on', async () => {
  for (const example of examples('login-sessions.md')) {
    const { config, problems, warnings } = await parseConfig(`${FRAME}enablePasswordDB: true\n${example}`, ENV);
    assert.deepEqual([...problems, ...warnings], []);
    assert.ok(config?.sessions);
  }
});
