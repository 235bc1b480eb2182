import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'kustomize-readme-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n';
for (const [path, content] of Object.entries({
  'package.json': '{"type": "module"}',
  'overlays/production/kustomization.yaml': 'resources: [service.yaml]\n',
  'overlays/production/service.yaml': service,
  'app/kustomization.yaml': 'resources: [service.yaml]\n',
  'app/service.yaml': service,
})) {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), content);
}
mkdirSync(join(scratch, 'node_modules/@kfctl'), { recursive: true });
symlinkSync(root, join(scratch, 'node_modules/@kfctl/kustomize'));

const examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gmu)].map((match) => match[1] ?? '');

test('there are examples of building, of other file systems and of remotes', () => {
  assert.equal(examples.length, 4);
});

for (const [index, example] of examples.entries()) {
  test(`example ${index + 1} of the README runs`, () => {
    const file = join(scratch, `example-${index}.ts`);
    writeFileSync(file, example);
    const output = execFileSync(process.execPath, [file], { cwd: scratch, encoding: 'utf8' });
    assert.equal(output, example.includes('process.stdout') ? service : '');
  });
}

test('the README names everything that the package exports', () => {
  const index = readFileSync(join(root, 'src/index.ts'), 'utf8');
  const lists = [...index.matchAll(/\{([^}]+)\}/gu)].flatMap((match) => (match[1] ?? '').split(','));
  const names = lists.map((name) => name.replace('type ', '').trim()).filter((name) => name !== '');
  assert.ok(names.length > 15);
  assert.deepEqual(
    names.filter((name) => !new RegExp(`\\b${name}\\b`, 'u').test(readme)),
    [],
  );
});
