import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ForwardAction, RedirectAction } from '../istio/route-action.ts';
import { parseVirtualService } from '../istio/virtual-service.ts';
import type { Route } from '../istio/virtual-service.ts';
import { to, virtualService } from '../rig/objects.ts';
import { redirectLocation, rewriteTarget } from './rewrite-target.ts';

function routeOf(rule: object): Route {
  const problems: string[] = [];
  const [route] = parseVirtualService(virtualService('a', [rule]), problems).routes;
  assert.deepEqual(problems, []);
  return route ?? assert.fail();
}

function problemsOf(redirect: object): string {
  const problems: string[] = [];
  parseVirtualService(virtualService('a', [{ redirect }]), problems);
  return problems.join();
}

describe('a redirect', () => {
  const cases: readonly (readonly [redirect: object, from: string, location: string])[] = [
    [{ uri: '/b' }, 'https://h/a?x=1', 'https://h/b?x=1'],
    [{ uri: '/b?y=2' }, 'https://h/a?x=1', 'https://h/b?y=2'],
    [{ authority: 'other' }, 'https://h:8443/a?x=1', 'https://other/a?x=1'],
    [{ authority: 'other:1234' }, 'http://h/a', 'http://other:1234/a'],
    [{ scheme: 'https' }, 'http://h:80/a', 'https://h/a'],
    [{ scheme: 'https' }, 'http://h:8080/a', 'https://h:8080/a'],
    [{ scheme: 'http' }, 'https://h:443/a', 'http://h/a'],
    [{ uri: '/b' }, 'https://h:443/a', 'https://h:443/b'],
    [{ port: 8443 }, 'https://h:443/a', 'https://h:8443/a'],
    [{ port: 8443, scheme: 'https' }, 'http://h/a', 'https://h:8443/a'],
    [{ derivePort: 'FROM_PROTOCOL_DEFAULT', uri: '/b' }, 'https://h:8443/a', 'https://h:8443/b'],
    [{ derivePort: 'FROM_REQUEST_PORT', authority: 'other' }, 'https://h/a', 'https://other:443/a'],
    [{ scheme: 'https', authority: '[fd00::1]' }, 'http://h/a', 'https://[fd00::1]/a'],
    [{ scheme: 'https' }, 'http://[fd00::1]:80/a', 'https://[fd00::1]/a'],
  ];
  for (const [redirect, from, location] of cases) {
    test(`${JSON.stringify(redirect)} from ${from} leads to ${location}`, () => {
      const parts = /^(https?):\/\/([^/]+)([^?]*)(.*)$/.exec(from);
      const [, proto = '', authority = '', path = '', query = ''] = parts ?? [];
      const action = routeOf({ redirect }).action as RedirectAction;
      assert.equal(redirectLocation(action, { proto, authority, path, query }, 443), location);
    });
  }

  test('has one of five codes, 301 where none is given', () => {
    const codeOf = (redirect: object): number => (routeOf({ redirect }).action as RedirectAction).status;
    assert.deepEqual(
      [{}, { redirectCode: 302 }, { redirectCode: 303 }, { redirectCode: 307 }, { redirectCode: 308 }].map((more) =>
        codeOf({ uri: '/b', ...more }),
      ),
      [301, 302, 303, 307, 308],
    );
    assert.match(problemsOf({ uri: '/', redirectCode: 304 }), /redirectCode/);
    assert.match(problemsOf({ uri: '/', redirectCode: 200 }), /redirectCode/);
    assert.match(problemsOf({ uri: '/', port: 1, derivePort: 'FROM_REQUEST_PORT' }), /derivePort: excludes port/);
    assert.match(problemsOf({ uri: '/', derivePort: 'FROM_MEMORY' }), /derivePort/);
    assert.match(problemsOf({ scheme: 'ftp' }), /scheme/);
  });
});

describe('a rewrite', () => {
  const cases: readonly (readonly [rule: object, path: string, target: string | undefined])[] = [
    [{ match: [{ uri: { prefix: '/a/' } }], rewrite: { uri: '/' } }, '/a/b', '/b'],
    [{ match: [{ uri: { prefix: '/a' } }], rewrite: { uri: '/c' } }, '/abc', '/cbc'],
    [{ match: [{ uri: { exact: '/a' } }], rewrite: { uri: '/c' } }, '/a', '/c'],
    [{ match: [{ uri: { regex: '/a.*' } }], rewrite: { uri: '/c' } }, '/abc', '/c'],
    [{ rewrite: { uri: '/c/' } }, '/a', '/c/a'],
    [{ rewrite: { uriRegexRewrite: { match: '^/v(\\d)/', rewrite: '/api/\\1/' } } }, '/v2/x', '/api/2/x'],
    [{ rewrite: { uriRegexRewrite: { match: 'o', rewrite: '0' } } }, '/foo', '/f00'],
    [{ rewrite: { uriRegexRewrite: { match: 'a', rewrite: '$&$1' } } }, '/a', '/$&$1'],
    [{ match: [{ uri: { prefix: '/a/' } }], rewrite: { uri: '/../' } }, '/a/b', undefined],
  ];
  for (const [rule, path, target] of cases) {
    test(`${JSON.stringify(rule)} makes ${String(target)} of ${path}`, () => {
      const route = routeOf({ ...rule, ...to('x') });
      const rewritten = rewriteTarget(route, route.action as ForwardAction, { path, query: '?q' });
      if (target === undefined) assert.ok(rewritten === undefined || !rewritten.includes('..'), String(rewritten));
      else assert.equal(rewritten, `${target}?q`);
    });
  }
});
