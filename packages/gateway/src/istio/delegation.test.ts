import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { fetchText } from '../rig/fetch-text.ts';
import { to, virtualService } from '../rig/objects.ts';
import { startRig } from '../rig/rig.ts';
import { resolveDelegations } from './delegation.ts';
import type { ForwardAction } from './route-action.ts';
import { parseVirtualService } from './virtual-service.ts';
import type { Route } from './virtual-service.ts';

function delegate(name: string, http: unknown[], more: object = {}): UnknownObject {
  const object = virtualService(name, http, { namespace: 'team', hosts: [] });
  const { gateways: _none, ...spec } = object['spec'] as Record<string, unknown>;
  return { ...object, spec: { ...spec, ...more } };
}

const to1 = { delegate: { name: 'inner', namespace: 'team' } };

function resolve(objects: readonly UnknownObject[]): { routes: readonly Route[]; reports: string[] } {
  const problems: string[] = [];
  const reports: string[] = [];
  const models = objects.map((object) => parseVirtualService(object, problems));
  assert.deepEqual(problems, []);
  const [root] = resolveDelegations(models, (_object, problem) => void reports.push(problem));
  return { routes: root?.routes ?? [], reports };
}

const uriOf = ({ match }: Route): string => `${match.uri?.kind} ${match.uri?.value}`;

describe('a rule that another VirtualService completes', () => {
  test('gets the routes of that one, each within its own matches, in the place of the rule', () => {
    const root = virtualService('root', [
      { name: 'before', match: [{ uri: { prefix: '/x' } }], ...to('x') },
      { name: 'team', match: [{ uri: { prefix: '/team/' }, headers: { 'x-a': { exact: '1' } } }], ...to1 },
      { name: 'after', ...to('x') },
    ]);
    const inner = delegate('inner', [
      { name: 'exact', match: [{ uri: { exact: '/team/a' }, method: { exact: 'GET' } }], ...to('a') },
      { name: 'elsewhere', match: [{ uri: { prefix: '/other/' } }], ...to('b') },
      { name: 'half', match: [{ uri: { prefix: '/team/b' } }, { uri: { prefix: '/other/' } }], ...to('b') },
      { name: 'regex', match: [{ uri: { regex: '/team/.*' } }], ...to('b') },
      { name: 'rest', ...to('c') },
    ]);
    const { routes, reports } = resolve([root, inner]);
    assert.deepEqual(reports, []);
    assert.deepEqual(
      routes.map(({ id }) => id),
      ['before', 'team/exact', 'team/rest', 'after'],
    );
    const [, exact, rest] = routes;
    assert.ok(exact !== undefined && rest !== undefined);
    assert.deepEqual([uriOf(exact), uriOf(rest)], ['exact /team/a', 'prefix /team/']);
    assert.deepEqual([exact.match.method?.value, exact.match.headers.map(({ name }) => name)], ['GET', ['x-a']]);
  });

  test('conflicts where both name something and one is no part of the other', () => {
    const ports = (root: object, inner: object): number =>
      resolve([
        virtualService('root', [{ match: [root], ...to1 }]),
        delegate('inner', [{ match: [inner], ...to('a') }]),
      ]).routes.length;
    const cases: readonly (readonly [root: object, inner: object, fits: boolean])[] = [
      [{ uri: { exact: '/a' } }, { uri: { exact: '/a' } }, true],
      [{ uri: { exact: '/a' } }, { uri: { prefix: '/a' } }, false],
      [{ uri: { prefix: '/a/b' } }, { uri: { prefix: '/a' } }, false],
      [{ uri: { regex: '/a.*' } }, { uri: { prefix: '/a' } }, false],
      [{ uri: { regex: '/a.*' } }, { method: { exact: 'GET' } }, true],
      [{ method: { exact: 'GET' } }, { method: { exact: 'PUT' } }, false],
      [{ headers: { a: { exact: '1' } } }, { headers: { a: { exact: '2' } } }, false],
      [{ headers: { a: { exact: '1' } } }, { headers: { b: { exact: '2' } } }, true],
      [{ queryParams: { a: { prefix: 'x' } } }, { queryParams: { a: { exact: 'xy' } } }, true],
      [{ withoutHeaders: { a: { exact: '1' } } }, { withoutHeaders: { a: { exact: '2' } } }, false],
      [{ port: 443 }, { port: 80 }, false],
      [{ sourceLabels: { a: '1' } }, { sourceLabels: { a: '2' } }, false],
      [{ sourceNamespace: 'a' }, { sourceNamespace: 'b' }, false],
      [{ uri: { prefix: '/a' }, ignoreUriCase: true }, { uri: { prefix: '/a' } }, false],
    ];
    for (const [root, inner, fits] of cases) {
      assert.equal(ports(root, inner), fits ? 1 : 0, JSON.stringify([root, inner]));
    }
  });

  test('says what the other one does not', () => {
    const settings = { timeout: '3s', retries: { attempts: 7 }, rewrite: { uri: '/' } };
    const headers = { request: { set: { 'x-root': '1' } } };
    const root = virtualService('root', [{ ...settings, headers, ...to1 }]);
    const inner = delegate('inner', [
      { name: 'silent', match: [{ uri: { prefix: '/a' } }], ...to('a') },
      { name: 'own', timeout: '1s', retries: { attempts: 1 }, rewrite: { authority: 'h' }, ...to('a') },
    ]);
    const [silent, own] = resolve([root, inner]).routes.map(({ action }) => action as ForwardAction);
    assert.ok(silent !== undefined && own !== undefined);
    const said = ({ timeoutMs, retries, rewrite }: ForwardAction): unknown[] => [
      timeoutMs,
      retries.attempts,
      rewrite.uri,
      rewrite.authority,
    ];
    assert.deepEqual(said(silent), [3_000, 7, '/', undefined]);
    assert.deepEqual(said(own), [1_000, 1, undefined, 'h']);
    assert.equal(own.headers.request?.set.get('x-root'), '1');
  });

  test('leads nowhere, and says why, where that one is missing, has hosts, is hidden or delegates itself', () => {
    const root = virtualService('root', [{ name: 'r', ...to1 }]);
    const whole = delegate('inner', [to('a')]);
    const cases: readonly (readonly [inner: UnknownObject | undefined, report: RegExp])[] = [
      [undefined, /r delegates to team\/inner: there is no such/],
      [virtualService('inner', [to('a')], { namespace: 'team' }), /has hosts of its own/],
      [delegate('inner', [to('a')], { exportTo: ['.'] }), /is not exported/],
    ];
    for (const [inner, report] of cases) {
      const { routes, reports } = resolve(inner === undefined ? [root] : [root, inner]);
      assert.deepEqual(routes, []);
      assert.match(reports.join(), report);
    }
    assert.equal(resolve([root, whole]).routes.length, 1);
    const nested = delegate('inner', [{ delegate: { name: 'deeper' } }]);
    assert.deepEqual(resolve([root, nested, delegate('deeper', [to('a')])]).routes, []);
    const problems: string[] = [];
    parseVirtualService(virtualService('a', [{ ...to1, ...to('a') }]), problems);
    assert.match(problems.join(), /delegate: excludes route/);
  });
});

test('a delegation is in force in a gateway as soon as both are there, and is told while one is missing', async () => {
  const rig = await startRig();
  try {
    await rig.upstream('app', (request, response) => response.end(`app ${request.url}`));
    rig.sources.virtualServices.put(virtualService('root', [{ match: [{ uri: { prefix: '/team/' } }], ...to1 }]));
    await rig.settle();
    assert.equal((await fetchText(rig.tlsPort(), '/team/a')).status, 404);
    assert.match(rig.warnings.join('\n'), /VirtualService root: DelegateMissing: .*team\/inner/);
    rig.sources.virtualServices.put(delegate('inner', [{ rewrite: { uri: '/' }, ...to('app') }]));
    await rig.settle();
    assert.equal((await fetchText(rig.tlsPort(), '/team/a')).text, 'app /a');
    rig.sources.virtualServices.remove('inner', 'team');
    await rig.settle();
    assert.equal((await fetchText(rig.tlsPort(), '/team/a')).status, 404);
  } finally {
    await rig.close();
  }
});
