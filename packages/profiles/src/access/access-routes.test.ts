import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { describe, it } from 'node:test';
import { KubeError } from '@kfctl/kube';
import type { RoleBinding } from '@kfctl/kube';
import { authorizationPolicies } from '../istio/authorization-policy.ts';
import {
  bindingOf,
  profileOf,
  profiles,
  resources,
  runProfiles,
  until,
  untilGone,
} from '../../test/running-profiles.ts';

const BINDINGS = '/kfam/v1/bindings';
const PROFILES = '/kfam/v1/profiles';

describe('access management', () => {
  it('greets', async (t) => {
    const { ask } = await runProfiles(t);
    assert.deepEqual(await ask(undefined, 'GET', '/kfam/'), { status: 200, text: 'Hello World!' });
  });

  it('grants and removes a role, both objects each time', async (t) => {
    const { cluster, ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    assert.equal((await ask('alice@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'alice'))).status, 200);
    assert.deepEqual(await bindings('alice@x.org'), ['alice@x.org admin alice', 'bob@x.org edit alice']);
    const [policy] = (await cluster.list(authorizationPolicies)).items.filter(
      ({ metadata }) => metadata.name !== 'ns-owner-access-istio',
    );
    assert.deepEqual(policy?.spec?.rules?.[0]?.when, [
      { key: 'request.headers[kubeflow-userid]', values: ['bob@x.org'] },
    ]);
    const binding = await cluster.get(resources.roleBindings, policy?.metadata.name ?? '', { namespace: 'alice' });
    assert.deepEqual([binding?.roleRef.name, binding?.subjects?.[0]?.name], ['kubeflow-edit', 'bob@x.org']);
    assert.equal((await ask('alice@x.org', 'DELETE', BINDINGS, bindingOf('bob@x.org', 'alice'))).status, 200);
    assert.deepEqual(await bindings('alice@x.org'), ['alice@x.org admin alice']);
    assert.equal((await cluster.list(authorizationPolicies)).items.length, 1);
    assert.equal((await ask('alice@x.org', 'DELETE', BINDINGS, bindingOf('bob@x.org', 'alice'))).status, 404);
  });

  it('answers a repeated grant like the first', async (t) => {
    const { ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    for (let count = 0; count < 2; count += 1)
      assert.equal((await ask('alice@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'alice', 'view'))).status, 200);
    assert.deepEqual(await bindings('bob@x.org'), ['bob@x.org view alice']);
  });

  it('filters by user, namespace and role', async (t) => {
    const { ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    await addProfile('carol', 'carol@x.org');
    await ask('alice@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'alice', 'view'));
    await ask('carol@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'carol'));
    assert.deepEqual(await bindings('root@x.org', '?user=bob@x.org'), ['bob@x.org edit carol', 'bob@x.org view alice']);
    assert.deepEqual(await bindings('root@x.org', '?namespace=alice&role=view'), ['bob@x.org view alice']);
    assert.deepEqual(await bindings('root@x.org', '?role=admin'), [
      'alice@x.org admin alice',
      'carol@x.org admin carol',
    ]);
  });

  it('reads and removes what the older tools made, under its old name', async (t) => {
    const { cluster, ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    const metadata = {
      name: 'user-bob-x-org-clusterrole-edit',
      namespace: 'alice',
      annotations: { user: 'bob@x.org', role: 'edit' },
    };
    await cluster.create(resources.roleBindings, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kubeflow-edit' },
      subjects: [{ kind: 'User', name: 'bob@x.org' }],
    });
    await cluster.create(authorizationPolicies, {
      apiVersion: 'security.istio.io/v1beta1',
      kind: 'AuthorizationPolicy',
      metadata,
    });
    await bindingShown(bindings, 'bob@x.org');
    assert.equal((await ask('alice@x.org', 'DELETE', BINDINGS, bindingOf('bob@x.org', 'alice'))).status, 200);
    assert.deepEqual(await bindings('bob@x.org'), []);
    assert.equal((await cluster.list(authorizationPolicies)).items.length, 1);
  });

  it('keeps people apart whose old names would have been one', async (t) => {
    const { ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    for (const user of ['a.b@x.org', 'a-b@x.org', 'a_b@x.org', 'A.b@x.org'])
      assert.equal((await ask('alice@x.org', 'POST', BINDINGS, bindingOf(user, 'alice'))).status, 200);
    await ask('alice@x.org', 'DELETE', BINDINGS, bindingOf('a-b@x.org', 'alice'));
    assert.deepEqual(await bindings('alice@x.org', '?role=edit'), [
      'A.b@x.org edit alice',
      'a.b@x.org edit alice',
      'a_b@x.org edit alice',
    ]);
  });

  it('leaves nothing behind when the second object fails, and can be repeated', async (t) => {
    const { cluster, ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    cluster.onWrite = ({ verb, type, name }) => {
      if (verb === 'apply' && type.plural === 'rolebindings' && name.startsWith('user-'))
        throw new KubeError({ status: 500, reason: 'InternalError', message: 'disk' });
    };
    const failed = await ask('alice@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'alice'));
    assert.deepEqual([failed.status, failed.text.includes('disk')], [503, false]);
    assert.equal((await cluster.list(authorizationPolicies)).items.length, 1);
    cluster.onWrite = () => undefined;
    assert.equal((await ask('alice@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'alice'))).status, 200);
    assert.deepEqual(await bindings('bob@x.org'), ['bob@x.org edit alice']);
  });

  it('finishes a removal that broke off half-way', async (t) => {
    const { cluster, ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    await ask('alice@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'alice'));
    cluster.onWrite = ({ verb, type }) => {
      if (verb === 'delete' && type.plural === 'rolebindings')
        throw new KubeError({ status: 500, reason: 'InternalError', message: 'disk' });
    };
    assert.equal((await ask('alice@x.org', 'DELETE', BINDINGS, bindingOf('bob@x.org', 'alice'))).status, 503);
    cluster.onWrite = () => undefined;
    assert.equal((await ask('alice@x.org', 'DELETE', BINDINGS, bindingOf('bob@x.org', 'alice'))).status, 200);
    assert.deepEqual(await bindings('bob@x.org'), []);
  });

  it('is not stopped by a strange RoleBinding somewhere', async (t) => {
    const { cluster, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    const strange: RoleBinding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'strange', namespace: 'alice', annotations: { user: 'liar@x.org', role: 'admin' } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kubeflow-view' },
      subjects: [
        { kind: 'User', name: 'one@x.org' },
        { kind: 'User', name: 'two@x.org' },
        { kind: 'Group', name: 'g' },
      ],
    };
    await cluster.create(resources.roleBindings, strange);
    await bindingShown(bindings, 'two@x.org');
    assert.deepEqual(await bindings('alice@x.org'), [
      'alice@x.org admin alice',
      'one@x.org view alice',
      'two@x.org view alice',
    ]);
  });

  it('makes a first workspace for oneself', async (t) => {
    const { cluster, ask, bindings } = await runProfiles(t);
    assert.equal((await ask('bob@x.org', 'POST', PROFILES, profileOf('bob', 'bob@x.org'))).status, 200);
    await until(cluster, profiles, ({ status }) => status?.conditions?.[0]?.type === 'Successful');
    await bindingShown(bindings, 'bob@x.org');
    assert.equal((await ask('bob@x.org', 'POST', PROFILES, profileOf('bob', 'bob@x.org'))).status, 409);
    assert.equal((await ask('bob@x.org', 'DELETE', `${PROFILES}/bob`)).status, 200);
    await untilGone(cluster, resources.namespaces, 'bob');
  });

  it('says who is a cluster admin', async (t) => {
    const { ask } = await runProfiles(t);
    const isAdmin = '/kfam/v1/role/clusteradmin';
    assert.equal((await ask('root@x.org', 'GET', `${isAdmin}?user=root@x.org`)).text, 'true');
    assert.equal((await ask('bob@x.org', 'GET', `${isAdmin}?user=bob@x.org`)).text, 'false');
    assert.equal((await ask('root@x.org', 'GET', `${isAdmin}?user=bob@x.org`)).text, 'false');
    assert.equal((await ask('bob@x.org', 'GET', `${isAdmin}?user=root@x.org`)).status, 403);
  });

  it('is ready once it knows the cluster', async (t) => {
    const { healthUrl } = await runProfiles(t);
    assert.equal((await fetch(`${healthUrl}/healthz`)).status, 200);
    assert.equal((await fetch(`${healthUrl}/readyz`)).status, 200);
  });
});

describe('attacks on access management', () => {
  const everyRoute = [
    ['GET', BINDINGS],
    ['POST', BINDINGS],
    ['DELETE', BINDINGS],
    ['POST', PROFILES],
    ['DELETE', `${PROFILES}/alice`],
    ['GET', '/kfam/v1/role/clusteradmin'],
  ] as const;

  it('without an identity are 401 on every route, and an empty or odd one is none', async (t) => {
    const { ask, addProfile, cluster } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    const writes = cluster.calls.length;
    for (const [method, path] of everyRoute) {
      for (const user of [undefined, '', ' ', 'a@x.org,root@x.org', 'alice@x.org root@x.org', '*', 'system:masters']) {
        assert.equal(
          (await ask(user, method, path, method === 'GET' ? undefined : bindingOf('eve@x.org', 'alice'))).status,
          401,
          `${method} ${path} ${user}`,
        );
      }
    }
    assert.equal(cluster.calls.length, writes);
  });

  it('with the identity header twice are 401', async (t) => {
    const { url } = await runProfiles(t);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(
        `${url}${BINDINGS}`,
        { headers: { 'Kubeflow-UserId': ['eve@x.org', 'root@x.org'] }, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on('error', reject).end();
    });
    assert.equal(status, 401);
  });

  it('with a header that lacks the prefix are 401', async (t) => {
    const { ask } = await runProfiles(t, { USERID_PREFIX: 'accounts.google.com:' });
    assert.equal((await ask('xxxxxxxxxxxxxxxxxxxxroot@x.org', 'GET', BINDINGS)).status, 401);
    assert.equal((await ask('accounts.google.com:', 'GET', BINDINGS)).status, 401);
    assert.equal((await ask('accounts.google.com:bob@x.org', 'GET', BINDINGS)).status, 200);
  });

  it('from callers that are not trusted are 401 though they know a name', async (t) => {
    const trusted = 'system:serviceaccount:kubeflow:centraldashboard';
    const { url, cluster } = await runProfiles(t, { TRUSTED_CALLERS: trusted });
    const create = cluster.create.bind(cluster);
    cluster.create = (async (type, object, options) => {
      if (type.plural !== 'tokenreviews') return create(type, object, options);
      const { token } = (object as unknown as { spec: { token: string } }).spec;
      const username = token === 'good' ? trusted : 'system:serviceaccount:eve:default';
      return { ...object, status: { authenticated: token !== 'expired', user: { username } } };
    }) as typeof cluster.create;
    const ask = async (authorization?: string): Promise<number> => {
      const headers = {
        'kubeflow-userid': 'root@x.org',
        connection: 'close',
        ...(authorization === undefined ? {} : { authorization }),
      };
      return (await fetch(`${url}${BINDINGS}`, { headers })).status;
    };
    assert.deepEqual(
      [
        await ask(),
        await ask('Bearer eves'),
        await ask('Bearer expired'),
        await ask('Basic good'),
        await ask('Bearer good'),
      ],
      [401, 401, 401, 401, 200],
    );
  });

  it('see nothing of others', async (t) => {
    const { ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    await ask('alice@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'alice'));
    assert.deepEqual(await bindings('eve@x.org'), []);
    assert.deepEqual(await bindings('eve@x.org', '?namespace=alice'), []);
    assert.deepEqual(await bindings('eve@x.org', '?user=alice@x.org'), []);
    assert.deepEqual(await bindings('bob@x.org'), ['bob@x.org edit alice']);
    assert.deepEqual(await bindings('Alice@x.org'), []);
  });

  it('cannot grant, remove or delete in a workspace of others, contributors included', async (t) => {
    const { ask, addProfile, cluster, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    await ask('alice@x.org', 'POST', BINDINGS, bindingOf('bob@x.org', 'alice'));
    const writes = cluster.calls.length;
    for (const eve of ['eve@x.org', 'bob@x.org', 'ALICE@x.org']) {
      assert.equal((await ask(eve, 'POST', BINDINGS, bindingOf(eve, 'alice'))).status, 403);
      assert.equal((await ask(eve, 'DELETE', BINDINGS, bindingOf('bob@x.org', 'alice'))).status, 403);
      assert.equal((await ask(eve, 'DELETE', `${PROFILES}/alice`)).status, 403);
      assert.equal((await ask(eve, 'DELETE', `${PROFILES}/absent`)).status, 403);
    }
    assert.equal(cluster.calls.length, writes);
    assert.equal((await bindings('alice@x.org')).length, 2);
  });

  it('cannot open a system namespace, not even with a Profile of its name', async (t) => {
    const { ask, cluster } = await runProfiles(t);
    for (const name of ['kube-system', 'kubeflow', 'istio-system']) {
      await cluster.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      assert.equal((await ask('eve@x.org', 'POST', PROFILES, profileOf(name, 'eve@x.org'))).status, 400);
      await cluster.create(profiles, profileOf(name, 'eve@x.org'));
      assert.equal((await ask('eve@x.org', 'POST', BINDINGS, bindingOf('eve@x.org', name))).status, 403);
      assert.equal((await ask('root@x.org', 'POST', BINDINGS, bindingOf('eve@x.org', name))).status, 403);
    }
    assert.deepEqual((await cluster.list(resources.roleBindings)).items, []);
    assert.deepEqual((await cluster.list(authorizationPolicies)).items, []);
  });

  it('cannot take a namespace that exists', async (t) => {
    const { ask, cluster } = await runProfiles(t);
    await cluster.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'prod' } });
    assert.equal((await ask('eve@x.org', 'POST', PROFILES, profileOf('prod', 'eve@x.org'))).status, 409);
    assert.equal(await cluster.get(profiles, 'prod'), undefined);
  });

  it('cannot make workspaces for others, with a quota, with plugins, or when registration is closed', async (t) => {
    const open = await runProfiles(t, { PROFILES_PER_USER: '1' });
    assert.equal((await open.ask('eve@x.org', 'POST', PROFILES, profileOf('bob', 'bob@x.org'))).status, 403);
    assert.equal(
      (
        await open.ask(
          'eve@x.org',
          'POST',
          PROFILES,
          profileOf('eve', 'eve@x.org', { resourceQuotaSpec: { hard: { cpu: '9' } } }),
        )
      ).status,
      403,
    );
    assert.equal(
      (
        await open.ask(
          'eve@x.org',
          'POST',
          PROFILES,
          profileOf('eve', 'eve@x.org', { plugins: [{ kind: 'AwsIamForServiceAccount' }] }),
        )
      ).status,
      400,
    );
    await open.addProfile('eve', 'eve@x.org');
    assert.equal((await open.ask('eve@x.org', 'POST', PROFILES, profileOf('eve-two', 'eve@x.org'))).status, 403);
    const closed = await runProfiles(t, { REGISTRATION_FLOW: 'false' });
    assert.equal((await closed.ask('eve@x.org', 'POST', PROFILES, profileOf('eve', 'eve@x.org'))).status, 403);
    assert.equal(
      (
        await closed.ask(
          'root@x.org',
          'POST',
          PROFILES,
          profileOf('bob', 'bob@x.org', { resourceQuotaSpec: { hard: { cpu: '9' } } }),
        )
      ).status,
      200,
    );
  });

  it('cannot bring in labels, finalizers or a status with a profile', async (t) => {
    const { ask, cluster } = await runProfiles(t);
    const body = {
      ...profileOf('eve', 'eve@x.org'),
      metadata: { name: 'eve', labels: { a: 'b' }, finalizers: ['x/y'], ownerReferences: [{}] },
      status: { conditions: [{ type: 'Successful' }] },
    };
    assert.equal((await ask('eve@x.org', 'POST', PROFILES, body)).status, 200);
    const made = await cluster.get(profiles, 'eve');
    assert.deepEqual(
      [made?.metadata.labels, made?.metadata.finalizers, made?.metadata.ownerReferences],
      [undefined, undefined, undefined],
    );
  });

  it('cannot grant to everybody, to groups, to the system, or other roles', async (t) => {
    const { ask, addProfile, cluster } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    const writes = cluster.calls.length;
    const grant = async (body: unknown): Promise<number> => (await ask('alice@x.org', 'POST', BINDINGS, body)).status;
    for (const user of [
      '*',
      '*@x.org',
      'bob*',
      '',
      'system:masters',
      'system:serviceaccount:eve:default',
      'a,b',
      'a b',
      'x'.repeat(255),
    ])
      assert.equal(await grant(bindingOf(user, 'alice')), 400, user);
    for (const role of ['cluster-admin', 'kubeflow-kubernetes-admin', '', 'EDIT', '../edit'])
      assert.equal(await grant(bindingOf('bob@x.org', 'alice', role)), 400, role);
    assert.equal(await grant(bindingOf('bob@x.org', 'alice', 'admin')), 403);
    assert.equal(
      await grant({ ...(bindingOf('bob@x.org', 'alice') as object), user: { kind: 'Group', name: 'g' } }),
      400,
    );
    assert.equal(
      await grant({ ...(bindingOf('bob@x.org', 'alice') as object), RoleRef: { kind: 'Role', name: 'edit' } }),
      400,
    );
    for (const body of ['', '{', '[]', 'null', '"x"', '{"__proto__":{"user":{}}}'])
      assert.equal(await grant(body), 400, body);
    assert.equal((await ask('alice@x.org', 'POST', BINDINGS, 'x'.repeat(70_000))).status, 413);
    assert.equal(cluster.calls.length, writes);
  });

  it("cannot remove the owner's own access", async (t) => {
    const { ask, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    assert.equal(
      (await ask('alice@x.org', 'DELETE', BINDINGS, bindingOf('alice@x.org', 'alice', 'admin'))).status,
      403,
    );
    assert.equal((await ask('root@x.org', 'DELETE', BINDINGS, bindingOf('alice@x.org', 'alice', 'admin'))).status, 404);
    assert.deepEqual(await bindings('alice@x.org'), ['alice@x.org admin alice']);
  });

  it('by odd paths reach nothing', async (t) => {
    const { ask } = await runProfiles(t);
    for (const path of [
      '/kfam/v1/bindings/',
      '/kfam/v1/profiles/a/b',
      '/kfam/v1/profiles/',
      '/kfam/v1/../v1/bindingsx',
      '//kfam/v1/bindings',
    ])
      assert.equal((await ask('root@x.org', 'GET', path)).status, 404, path);
    assert.equal((await ask('root@x.org', 'DELETE', `${PROFILES}/..%2fnamespaces%2fdefault`)).status, 403);
    assert.equal((await ask('root@x.org', 'PATCH', BINDINGS)).status, 405);
  });
});

async function bindingShown(bindings: (as: string) => Promise<string[]>, user: string): Promise<void> {
  while ((await bindings(user)).length === 0) await new Promise(setImmediate);
}
