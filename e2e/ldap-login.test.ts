/** The tutorial `docs/tutorials/ldap-login.md`, command by command as it stands there, on the local cluster with a real slapd. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launchChromium } from '../packages/testkit/src/chromium.ts';
import { SLAPD_MISSING } from '../packages/testkit/src/slapd.ts';
import { findBlock, readBlocks } from './document.ts';
import { chooseConnector, createSession, sendForm } from './log-in.ts';
import { createHome, eventually, kubectl, kubectlInput, shell, startPlatform, tryKubectl } from './platform.ts';
import type { Home, Platform } from './platform.ts';
import { openTerminal } from './terminal.ts';

const skip = SLAPD_MISSING ?? false;
const NICK = { user: 'nkili', password: '12341234' };
const ROBIN = { user: 'rspanakopita', password: '43214321' };
const SEARCH = ['exec', '-n', 'kubeflow', 'ldap-0', '--', 'ldapsearch', '-x', '-LLL', '-b', 'dc=example,dc=com'];
const AS_ADMIN = ['-D', 'cn=admin,dc=example,dc=com', '-w', 'admin'];

const blocks = readBlocks('tutorials/ldap-login.md');
const command = (pattern: RegExp): string =>
  findBlock(
    blocks.filter(({ language }) => language === 'bash'),
    pattern,
  );

let home: Home;
let platform: Platform;

before(async () => {
  if (skip !== false) return;
  home = createHome();
  platform = await startPlatform(home.directory);
  for (const { language, text, before } of blocks) {
    const name = /Write this to `([^`]+)`/.exec(before)?.[1];
    if (language === 'yaml' && name !== undefined) writeFileSync(path.join(home.directory, name), text);
  }
});
after(async () => {
  if (skip !== false) return;
  await platform.interrupt();
  home.remove();
});

test('the directory comes up from the manifest alone', { skip }, async () => {
  assert.match(shell(platform, command(/kubectl apply -f ldap\.yaml/)), /roll out complete/);
  // The manifest has no readiness probe: the pod is ready before slapd is.
  await eventually('the directory to answer', () =>
    kubectl(platform, 'exec', '-n', 'kubeflow', 'ldap-0', '--', 'ldapwhoami', '-x').includes('anonymous'),
  );
  assert.match(kubectl(platform, 'logs', '-n', 'kubeflow', 'ldap-0'), /slapd starting/);
});

test(
  'a person at a terminal adds the entries: exec, bash, ldapadd with its prompt, paste, Ctrl-D',
  { skip },
  async () => {
    const [exec = '', ldapadd = ''] = command(/kubectl exec -it/)
      .trim()
      .split('\n');
    const terminal = openTerminal(exec, {
      cwd: home.directory,
      env: { ...process.env, HOME: home.directory, KUBECONFIG: platform.kubeconfig, TERM: 'xterm' },
    });
    await terminal.waitFor(/ldap-0.*[#$] /);
    terminal.type(`${ldapadd}\n`);
    await terminal.waitFor(/Enter LDAP Password: /);
    terminal.type('admin\n');
    terminal.type(findBlock(blocks, /^dn: ou=People/m));
    const said = await terminal.waitFor(/adding new entry "cn=admins,ou=Groups,dc=example,dc=com"/);
    assert.doesNotMatch(said, /admin\r?\n/, 'the password is not shown');
    terminal.type('\u0004');
    await terminal.waitFor(/adding new entry "cn=developers,ou=Groups,dc=example,dc=com"/);
    await terminal.waitFor(/ldap-0.*[#$] /);
    terminal.type('exit\n');
    assert.equal(await terminal.exited, 0);
  },
);

test('nobody but the administrator reads passwords, and a stranger nothing', { skip }, () => {
  const stranger = tryKubectl(platform, ...SEARCH, '(uid=nkili)');
  assert.doesNotMatch(stranger.stdout, /nkili|userPassword/i);
  const admin = kubectl(platform, ...SEARCH, ...AS_ADMIN, '(uid=nkili)', 'mail', 'userPassword');
  assert.match(admin, /mail: nkili@example.com/);
  assert.doesNotMatch(admin, new RegExp(Buffer.from('12341234').toString('base64')), 'kept as a hash');
});

test('a second ldapadd without a terminal says that they are there', { skip }, () => {
  const file = path.join(home.directory, 'seed.ldif');
  writeFileSync(file, findBlock(blocks, /^dn: ou=People/m));
  const tool = `ldapadd -x -c -D "cn=admin,dc=example,dc=com" -w admin`;
  assert.throws(
    () => shell(platform, `kubectl exec -i -n kubeflow ldap-0 -- ${tool} < ${file}`),
    /Already exists \(68\)/,
  );
});

test('Dex takes the appended section, and the restart of the tutorial does no harm', { skip }, async () => {
  shell(platform, command(/jsonpath=.*> dex-config\.yaml/));
  assert.match(shell(platform, command(/cat dex-config\.yaml/)), /configmap\/dex configured/);
  shell(platform, command(/kubectl delete pods -n kubeflow -l app=dex/));
  assert.match(shell(platform, command(/identity check/)), /groups: admins, developers/);
});

test('kfctl ldap check asks from the pod, which knows the name of the directory', { skip }, () => {
  const env = {
    ...process.env,
    HOME: home.directory,
    KUBECONFIG: platform.kubeconfig,
    IDENTITY_PASSWORD: NICK.password,
  };
  const main = path.join(import.meta.dirname, '../packages/kfctl/src/main.ts');
  const { status, stdout } = spawnSync(process.execPath, [main, 'ldap', 'check', '--user', NICK.user], {
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^Asked from the pod of dex/);
  assert.match(
    stdout,
    /ok {3}user bind: accepted[^]*ok {3}groups: admins, developers[^]*ConfigMap kubeflow\/dex can be served/,
  );
  const file = path.join(home.directory, 'dex-config-final.yaml');
  const checked = spawnSync(process.execPath, [main, 'dex', 'check', file], { env, encoding: 'utf8' });
  assert.doesNotMatch(checked.stdout, /is not set/, 'variables come from the Secrets of the cluster');
  assert.equal(checked.status, 0, checked.stdout);
  assert.match(
    checked.stdout,
    /^Asked from the pod of dex[^]*ok {3}bind: accepted[^]*dex-config-final\.yaml can be served/,
  );
});

test('Nick logs in with a browser, with the connector of his choice', { skip }, async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(platform.url);
  await page.getByText('Log in with LDAP').click();
  await page.locator('input[name=login]').fill(NICK.user);
  await page.locator('input[name=password]').fill('wrong');
  await page.locator('button[type=submit]').click();
  await page.locator('#login-error').waitFor();
  await page.locator('input[name=password]').fill(NICK.password);
  await page.locator('button[type=submit]').click();
  await page.locator('#user').waitFor();
  assert.equal(await page.locator('#user').textContent(), 'nkili@example.com');
});

/** Answers with the identity that the gateway sent. */
const ECHO = `
apiVersion: v1
kind: Pod
metadata: {name: echo, namespace: kubeflow, labels: {app: echo}}
spec:
  containers:
  - name: echo
    image: node
    command: [node, -e]
    args:
    - |
      require('http').createServer(({ headers: h }, answer) =>
        answer.end(h['kubeflow-userid'] + ' ' + h['kubeflow-groups'])).listen(8000, process.env.POD_IP);
    env: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: kubeflow}
spec: {selector: {app: echo}, ports: [{name: http, port: 80, targetPort: 8000}]}
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: echo, namespace: kubeflow}
spec:
  gateways: [kubeflow-gateway]
  hosts: ["*"]
  http:
  - match: [{uri: {prefix: /echo/}}]
    route: [{destination: {host: echo.kubeflow.svc.cluster.local, port: {number: 80}}}]
`;

test('the groups of the directory arrive at applications', { skip }, async (t) => {
  kubectlInput(platform, ECHO, 'apply', '-f', '-');
  for (const [person, expected] of [
    [NICK, 'nkili@example.com admins,developers'],
    [ROBIN, 'rspanakopita@example.com developers'],
  ] as const) {
    const session = createSession(t, platform);
    assert.equal(sendForm(session, chooseConnector(session, 'LDAP'), person).status, 200);
    await eventually(`the groups of ${person.user}`, () => {
      assert.equal(session.get('/echo/').body, expected);
      return true;
    });
  }
});

test('the entries outlive the pod, and a label on the template of dex restarts it', { skip }, async (t) => {
  kubectl(platform, 'delete', 'pod', '-n', 'kubeflow', 'ldap-0');
  kubectl(platform, 'rollout', 'status', 'statefulset/ldap', '-n', 'kubeflow', '--timeout=60s');
  await eventually('the directory to answer', () =>
    kubectl(platform, ...SEARCH, ...AS_ADMIN, '(uid=nkili)', 'mail').includes('nkili@example.com'),
  );
  const before = kubectl(platform, 'get', 'pods', '-n', 'kubeflow', '-l', 'app=dex', '-o', 'name');
  const editor = String.raw`sed -i 's/^        app: dex$/        app: dex\n        restarted: once/'`;
  shell(
    platform,
    `EDITOR=${JSON.stringify(editor).replaceAll('$', String.raw`\$`)} kubectl edit deployment dex -n kubeflow`,
  );
  kubectl(platform, 'rollout', 'status', 'deployment/dex', '-n', 'kubeflow', '--timeout=60s');
  assert.notEqual(kubectl(platform, 'get', 'pods', '-n', 'kubeflow', '-l', 'app=dex', '-o', 'name'), before);
  const session = createSession(t, platform);
  await eventually('Robin to log in', () =>
    sendForm(session, chooseConnector(session, 'LDAP'), ROBIN).status === 200 ? true : undefined,
  );
});

test('cleaning up leaves nothing of it', { skip }, () => {
  shell(platform, command(/kubectl delete -f ldap\.yaml/));
  assert.equal(kubectl(platform, 'get', 'pods,pvc', '-n', 'kubeflow', '-l', 'app=ldap', '-o', 'name'), '');
});
