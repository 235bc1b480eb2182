/** The management API with grpcurl, which knows nothing of it but what reflection tells, and reads that more strictly than grpc-js. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startTestIdentity } from './test-identity.ts';

const run = promisify(execFile);
const isThere = spawnSync('grpcurl', ['-version']).status === 0;
const skip = isThere ? false : 'grpcurl is not on PATH: go install github.com/fullstorydev/grpcurl/cmd/grpcurl@latest';

test('grpcurl learns the API by reflection and uses it', { skip }, async (t) => {
  const grpc = 'addr: "127.0.0.1:0", insecureWithoutClientCertificates: true, reflection: true';
  const identity = await startTestIdentity({ more: `grpc: {${grpc}}`, env: { DEX_API_CONNECTORS_CRUD: 'true' } });
  t.after(() => identity.stop());
  const at = `127.0.0.1:${identity.grpc}`;
  const call = async (...args: readonly string[]): Promise<string> =>
    (await run('grpcurl', ['-plaintext', ...args])).stdout;
  assert.equal((await call(at, 'list')).trim(), 'api.Dex');
  for (const method of ['GetClient', 'UpdateClient', 'CreateConnector', 'ListAuthSessions', 'DeleteUserIdentity'])
    assert.ok((await call(at, 'list', 'api.Dex')).includes(`api.Dex.${method}\n`), method);
  const connector = { id: 'made', type: 'mockCallback', name: 'Zoë', config: Buffer.from('{}').toString('base64') };
  await call('-d', JSON.stringify({ connector }), at, 'api.Dex/CreateConnector');
  const listed = JSON.parse(await call(at, 'api.Dex/ListConnectors')) as { readonly connectors: readonly unknown[] };
  assert.deepEqual(listed.connectors.at(-1), connector);
  const wrong = call('-d', JSON.stringify({ id: 'made', new_type: 'ä' }), at, 'api.Dex/UpdateConnector');
  await assert.rejects(wrong, ({ stderr }: { readonly stderr: string }) => /type is "ä"\. Known: ldap/.test(stderr));
});
