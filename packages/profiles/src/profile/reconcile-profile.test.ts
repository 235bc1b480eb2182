import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject, ResourceType } from '@kfctl/kube';
import { authorizationPolicies } from '../istio/authorization-policy.ts';
import { profileOf, profiles, resources, runProfiles, until, untilGone } from '../../test/running-profiles.ts';

const hard = { cpu: '2', memory: '2Gi' };

describe('the profile controller', () => {
  it('makes the whole workspace', async (t) => {
    const { cluster, addProfile } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org', { resourceQuotaSpec: { hard } });
    const names = async (type: ResourceType<KubeObject>): Promise<string[]> =>
      (await cluster.list(type, { namespace: 'alice' })).items.map(({ metadata }) => metadata.name ?? '').toSorted();
    const namespace = await cluster.get(resources.namespaces, 'alice');
    assert.equal(namespace?.metadata.annotations?.['owner'], 'alice@x.org');
    assert.equal(namespace?.metadata.labels?.['istio-injection'], 'enabled');
    assert.equal(namespace?.metadata.labels?.['app.kubernetes.io/part-of'], 'kubeflow-profile');
    assert.equal(namespace?.metadata.ownerReferences?.[0]?.kind, 'Profile');
    assert.deepEqual(await names(resources.serviceAccounts), ['default-editor', 'default-viewer']);
    assert.deepEqual(await names(resources.roleBindings), ['default-editor', 'default-viewer', 'namespaceAdmin']);
    assert.deepEqual(await names(authorizationPolicies), ['ns-owner-access-istio']);
    assert.deepEqual((await cluster.get(resources.resourceQuotas, 'kf-resource-quota', { namespace: 'alice' }))?.spec, {
      hard,
    });
    const admin = await cluster.get(resources.roleBindings, 'namespaceAdmin', { namespace: 'alice' });
    assert.deepEqual([admin?.roleRef.name, admin?.subjects?.[0]?.name], ['kubeflow-admin', 'alice@x.org']);
    const profile = await cluster.get(profiles, 'alice');
    assert.deepEqual(
      profile?.status?.conditions?.map(({ type, status }) => [type, status]),
      [['Successful', 'True']],
    );
  });

  it('lets in the owner only through the gateway', async (t) => {
    const { cluster, addProfile } = await runProfiles(t, { USERID_PREFIX: 'accounts:' });
    await addProfile('alice', 'alice@x.org');
    const policy = await cluster.get(authorizationPolicies, 'ns-owner-access-istio', { namespace: 'alice' });
    for (const rule of policy?.spec?.rules ?? []) {
      const header = rule.when?.find(({ key }) => key.startsWith('request.headers'));
      if (header === undefined) continue;
      assert.deepEqual(header, { key: 'request.headers[kubeflow-userid]', values: ['accounts:alice@x.org'] });
      assert.equal(rule.from?.[0]?.source.principals?.length, 2);
    }
    assert.equal(policy?.spec?.rules?.length, 4);
  });

  it('hands everything over when the owner changes, and nothing stays with the old one', async (t) => {
    const { cluster, addProfile, bindings } = await runProfiles(t);
    await addProfile('team', 'old@x.org');
    await cluster.patch(profiles, 'team', {
      patch: { kind: 'merge', body: { spec: { owner: { name: 'new@x.org' } } } },
    });
    await until(cluster, resources.roleBindings, (binding) => binding.subjects?.[0]?.name === 'new@x.org');
    await until(cluster, resources.namespaces, ({ metadata }) => metadata.annotations?.['owner'] === 'new@x.org');
    const all = JSON.stringify([
      (await cluster.list(resources.roleBindings)).items,
      (await cluster.list(authorizationPolicies)).items,
      (await cluster.list(resources.namespaces)).items,
    ]);
    assert.equal(all.includes('old@x.org'), false);
    assert.deepEqual(await bindings('old@x.org'), []);
  });

  it('repairs what was changed by hand, added subjects included', async (t) => {
    const { cluster, addProfile } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    const place = { namespace: 'alice' };
    const present = await cluster.get(resources.roleBindings, 'namespaceAdmin', place);
    assert.ok(present);
    await cluster.replace(resources.roleBindings, {
      ...present,
      subjects: [...(present.subjects ?? []), { kind: 'User', name: 'eve@x.org' }],
    });
    await until(
      cluster,
      resources.roleBindings,
      (binding) => binding.metadata.name === 'namespaceAdmin' && binding.subjects?.length === 1,
    );
    await cluster.delete(authorizationPolicies, 'ns-owner-access-istio', place);
    await until(cluster, authorizationPolicies, ({ metadata }) => metadata.name === 'ns-owner-access-istio');
  });

  it('makes a binding anew whose role was changed', async (t) => {
    const { cluster, addProfile } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    const place = { namespace: 'alice' };
    const viewer = await cluster.get(resources.roleBindings, 'default-viewer', place);
    assert.ok(viewer);
    await cluster.replace(resources.roleBindings, { ...viewer, roleRef: { ...viewer.roleRef, name: 'cluster-admin' } });
    const repaired = await until(
      cluster,
      resources.roleBindings,
      ({ metadata, roleRef }) => metadata.name === 'default-viewer' && roleRef.name === 'kubeflow-view',
    );
    assert.notEqual(repaired.metadata.uid, viewer.metadata.uid);
  });

  it('follows the quota, and removes only its own', async (t) => {
    const { cluster, addProfile } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org', { resourceQuotaSpec: { hard } });
    await cluster.patch(profiles, 'alice', {
      patch: { kind: 'merge', body: { spec: { resourceQuotaSpec: { hard: { cpu: '3' } } } } },
    });
    await until(cluster, resources.resourceQuotas, ({ spec }) => spec?.hard?.['cpu'] === '3');
    await cluster.patch(profiles, 'alice', { patch: { kind: 'merge', body: { spec: { resourceQuotaSpec: null } } } });
    await untilGone(cluster, resources.resourceQuotas, 'kf-resource-quota', 'alice');
  });

  it('keeps labels that were set by hand', async (t) => {
    const { cluster, addProfile } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    await cluster.patch(resources.namespaces, 'alice', {
      patch: {
        kind: 'merge',
        body: {
          metadata: { labels: { 'istio-injection': 'disabled', mine: 'yes' }, annotations: { owner: 'eve@x.org' } },
        },
      },
    });
    const namespace = await until(
      cluster,
      resources.namespaces,
      ({ metadata }) => metadata.annotations?.['owner'] === 'alice@x.org',
    );
    assert.equal(namespace.metadata.labels?.['mine'], 'yes');
    assert.equal(namespace.metadata.labels?.['istio-injection'], 'disabled');
  });

  it('writes nothing when nothing differs', async (t) => {
    const { cluster, addProfile } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    await addProfile('bob', 'bob@x.org');
    cluster.calls.length = 0;
    await cluster.patch(profiles, 'alice', { patch: { kind: 'merge', body: { metadata: { labels: { a: 'b' } } } } });
    await addProfile('carol', 'carol@x.org');
    assert.deepEqual(
      cluster.calls.filter(({ verb, type }) => verb === 'apply' && type.plural === 'serviceaccounts').length,
      2,
    );
  });

  it('lets everything go with the profile', async (t) => {
    const { cluster, addProfile, bindings } = await runProfiles(t);
    await addProfile('alice', 'alice@x.org');
    await cluster.delete(profiles, 'alice');
    await untilGone(cluster, resources.namespaces, 'alice');
    assert.deepEqual(await bindings('root@x.org'), []);
  });

  it('does not hang on the finalizer of the controller before it', async (t) => {
    const { cluster } = await runProfiles(t);
    const old = profileOf('alice', 'alice@x.org');
    await cluster.create(profiles, {
      ...old,
      metadata: {
        ...old.metadata,
        finalizers: ['profile-finalizer', 'other'],
        deletionTimestamp: '2026-01-01T00:00:00Z',
      },
    });
    await until(cluster, profiles, ({ metadata }) => metadata.finalizers?.join() === 'other');
    assert.equal(await cluster.get(resources.namespaces, 'alice'), undefined);
  });
});

describe('the profile controller refuses', () => {
  const failure = async (
    t: Parameters<typeof runProfiles>[0],
    name: string,
    owner: string,
    spec: object = {},
  ): Promise<string> => {
    const { cluster, addProfile } = await runProfiles(t, { RESERVED_NAMESPACES: 'finance' });
    await addProfile(name, owner, spec);
    const condition = (await cluster.get(profiles, name))?.status?.conditions?.[0];
    assert.equal(condition?.type, 'Failed');
    assert.deepEqual((await cluster.list(resources.namespaces)).items, []);
    assert.deepEqual((await cluster.list(resources.roleBindings)).items, []);
    return condition?.message ?? '';
  };

  for (const name of [
    'kube-system',
    'kube-public',
    'kubeflow',
    'istio-system',
    'metallb-system',
    'default',
    'knative-serving',
    'finance',
  ]) {
    it(`the reserved name ${name}`, async (t) => {
      assert.match(await failure(t, name, 'eve@x.org'), /reserved/);
    });
  }

  for (const owner of [
    '*',
    '*@x.org',
    'eve@*',
    'eve@x.org,root@x.org',
    'eve x',
    'system:masters',
    'a\nb',
    'x'.repeat(300),
  ]) {
    it(`the owner ${JSON.stringify(owner.slice(0, 30))}, who is not one person`, async (t) => {
      assert.match(await failure(t, 'eve', owner), /the name of one person/);
    });
  }

  it('groups and service accounts as owners', async (t) => {
    assert.match(await failure(t, 'eve', 'x', { owner: { kind: 'Group', name: 'everybody' } }), /must be a User/);
  });

  it('a name that is too long for a namespace', async (t) => {
    assert.match(await failure(t, 'a'.repeat(64), 'eve@x.org'), /not a namespace name/);
  });

  it('a namespace that was there before, annotated or not', async (t) => {
    const { cluster, addProfile, ask } = await runProfiles(t);
    await cluster.create(resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team', annotations: { owner: 'eve@x.org' } },
    });
    await addProfile('team', 'eve@x.org');
    assert.match(
      (await cluster.get(profiles, 'team'))?.status?.conditions?.[0]?.message ?? '',
      /not owned by profile creator/,
    );
    assert.deepEqual((await cluster.list(resources.roleBindings, { namespace: 'team' })).items, []);
    const body = {
      user: { kind: 'User', name: 'eve@x.org' },
      referredNamespace: 'team',
      RoleRef: { kind: 'ClusterRole', name: 'edit' },
    };
    assert.equal((await ask('eve@x.org', 'POST', '/kfam/v1/bindings', body)).status, 403);
  });

  it('a namespace of an earlier profile of the same name', async (t) => {
    const { cluster, addProfile } = await runProfiles(t);
    const ownerReferences = [
      { apiVersion: 'kubeflow.org/v1', kind: 'Profile', name: 'team', uid: 'gone', controller: true },
    ];
    await cluster.create(resources.namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team', ownerReferences },
    });
    await addProfile('team', 'eve@x.org');
    assert.equal((await cluster.get(profiles, 'team'))?.status?.conditions?.[0]?.type, 'Failed');
  });
});
