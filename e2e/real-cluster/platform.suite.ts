/** The whole platform on a real Kubernetes, by the steps of the document, from the archives of a release: to the login and back to nothing. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { createSession, logIn } from '../log-in.ts';
import type { Session } from '../log-in.ts';
import { createHome, curl, eventually, kubectl, PASSWORD, run, USER } from '../platform.ts';
import type { CommandResult, Home } from '../platform.ts';
import { confineSpeaker } from './confine-speaker.ts';
import { startRealCluster, whyNoRealCluster } from './real-cluster.ts';
import type { RealCluster } from './real-cluster.ts';
import { release } from './release.ts';

const EXAMPLE = '10.0.0.100-10.0.0.110';
/** Free ones on the node's network. */
const ADDRESSES = '172.31.255.100-172.31.255.110';
const POOL = /^ *# - name: metallb\n(?: *#.*\n)*/m;
const SELECTORS = [
  ['istio-system', 'app=authservice'],
  ['kubeflow', 'app=dex'],
  ['istio-system', 'istio=ingressgateway'],
  ['metallb-system', 'component=controller'],
  ['metallb-system', 'component=speaker'],
] as const;

describe('the platform on a real Kubernetes', { skip: whyNoRealCluster() }, () => {
  let home: Home;
  let cluster: RealCluster;
  let place: { home: string; kubeconfig: string };
  let address = '';

  before(() => {
    home = createHome();
    cluster = startRealCluster();
    cluster.loadArchive(release().image);
    place = { home: home.directory, kubeconfig: cluster.kubeconfig };
  });
  after(() => {
    cluster?.stop();
    home?.remove();
  });

  function shell(lines: string): CommandResult {
    const env = {
      PATH: `${release().commands}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: home.directory,
      KUBECONFIG: place.kubeconfig,
      KUBEFLOW_USER_EMAIL: USER,
      KUBEFLOW_PASSWORD: PASSWORD,
    };
    // Deleting waits for pods, and those for their kubelet: this old one at times for a minute after they ended.
    return run('bash', ['-eo', 'pipefail', '-c', lines], { cwd: home.directory, env, timeout: 280_000 });
  }

  function succeed(lines: string): string {
    const { code, stdout, stderr } = shell(lines);
    assert.equal(code, 0, `${lines}\n${stdout}${stderr}`);
    return stdout;
  }

  /** A person's browser at the address that the cluster gave. */
  function browse(context: TestContext): Session {
    const world = { enter: [], env: {} };
    return createSession(context, { world, url: `https://${address}/` } as unknown as Parameters<
      typeof createSession
    >[1]);
  }

  it('is installed by init, generate and apply', () => {
    succeed('kfctl init my-kubeflow --config=existing_arrikto -V');
    const file = path.join(home.directory, 'my-kubeflow/app.yaml');
    const text = readFileSync(file, 'utf8');
    const block = POOL.exec(text)?.[0];
    assert.ok(block !== undefined, 'the preset shows how to add the load balancer');
    assert.ok(block.includes(EXAMPLE), block);
    writeFileSync(file, text.replace(block, block.replaceAll(/^( *)# /gm, '$1').replace(EXAMPLE, ADDRESSES)));
    succeed('cd my-kubeflow && kfctl generate all -V');
    confineSpeaker(path.join(home.directory, 'my-kubeflow'));
    succeed('cd my-kubeflow && kfctl apply all -V');
    const lookup = 'get svc -n istio-system istio-ingressgateway -o jsonpath={.status.loadBalancer.ingress[0].ip}';
    address = kubectl(place, ...lookup.split(' '));
    assert.match(address, /^172\.31\.255\.1\d\d$/);
  });

  it('has every pod running without a restart, and without rights', () => {
    const pods = JSON.parse(kubectl(place, 'get', 'pods', '-A', '-o', 'json')) as {
      items: {
        metadata: { name: string };
        status: { containerStatuses: { ready: boolean; restartCount: number }[] };
      }[];
    };
    assert.equal(pods.items.length, 7);
    for (const { metadata, status } of pods.items) {
      assert.deepEqual(
        status.containerStatuses.map(({ ready, restartCount }) => ({ ready, restartCount })),
        [{ ready: true, restartCount: 0 }],
        metadata.name,
      );
    }
  });

  it('changes nothing in a second apply', () => {
    assert.match(succeed('cd my-kubeflow && kfctl apply all'), /nothing changed/i);
  });

  it('redirects to the login by HTTP/2, as the document shows', () => {
    const { stdout } = curl('-D', '-', '-o', '/dev/null', `https://${address}/`);
    assert.match(stdout, /^HTTP\/2 302/);
    const start =
      'location: /dex/auth?client_id=kubeflow-authservice-oidc&redirect_uri=%2Flogin%2Foidc&response_type=code&scope=openid+profile+email+groups&state=';
    assert.ok(stdout.includes(start), stdout);
  });

  it('lets the first user in, with a workspace that is theirs', (context) => {
    const session = browse(context);
    assert.equal(logIn(session, USER, 'wrong').status, 401);
    assert.equal(logIn(session, USER, PASSWORD).url, `https://${address}/`);
    const info = JSON.parse(session.get('/api/workgroup/env-info').body) as { user: string; namespaces: object[] };
    assert.equal(info.user, USER);
    assert.deepEqual(info.namespaces, [{ user: USER, namespace: 'kubeflow-admin', role: 'owner' }]);
  });

  it('believes no identity that a client sends', () => {
    const forged = ['-H', `kubeflow-userid: ${USER}`, '-H', 'accept: application/json', '-H', 'sec-fetch-mode: cors'];
    const { stdout } = curl(
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      ...forged,
      `https://${address}/api/workgroup/env-info`,
    );
    assert.equal(stdout, '401');
  });

  it('keeps a session while the AuthService and the gateway are made anew', async (context) => {
    const session = browse(context);
    logIn(session, USER, PASSWORD);
    succeed('kubectl delete pods -n istio-system -l "app in (authservice,istio-ingressgateway)" --grace-period=1');
    await eventually('the session to be known', () =>
      session.get('/api/workgroup/env-info').body.includes(USER) ? true : undefined,
    );
  });

  it('prints its logs by the selectors of the document', () => {
    for (const [namespace, selector] of SELECTORS) {
      assert.match(kubectl(place, 'logs', '-n', namespace, '-l', selector), /^(\{"|[A-Z]+ )/m, selector);
    }
  });

  it('lets a person look into its pods', () => {
    assert.match(
      succeed('kubectl exec -n kubeflow deploy/dex -- sh -c "id -u && ls /app/packages"'),
      /^1001\n[\s\S]*identity/,
    );
  });

  it('is content with itself', () => {
    const { code, stdout } = shell('cd my-kubeflow && kfctl doctor -o json');
    assert.equal(code, 0, stdout);
  });

  it('says what holds a delete', () => {
    const held = 'configmap held -n kubeflow-admin';
    const finalizers = (list: string): string => `-p '{"metadata":{"finalizers":${list}}}'`;
    succeed(`kubectl create ${held} && kubectl patch ${held} --type=merge ${finalizers('["example.com/never"]')}`);
    const { code, stderr } = shell('cd my-kubeflow && kfctl delete all --timeout=15s');
    succeed(`kubectl patch ${held} --type=merge ${finalizers('null')}`);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^ {2}- Namespace kubeflow-admin: .*finalizers remaining: example\.com\/never/m);
  });

  it('is deleted without a trace', () => {
    succeed('cd my-kubeflow && kfctl delete all');
    const left = kubectl(
      place,
      'get',
      'namespaces,customresourcedefinitions,clusterroles,clusterrolebindings',
      '-o',
      'name',
    );
    assert.doesNotMatch(left, /kubeflow|istio|metallb|dex/);
  });
});
