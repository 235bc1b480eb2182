/** The load balancer on a real Kubernetes with kubelet, kube-proxy and containers: the sequence that MetalLB's users know, word for word. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createHome, eventually, kfctl, kubectl, kubectlInput } from '../platform.ts';
import type { Home } from '../platform.ts';
import { confineSpeaker } from './confine-speaker.ts';
import { createClientHost, macOf } from './client-host.ts';
import type { ClientHost } from './client-host.ts';
import { NODE_LINK, startRealCluster, whyNoRealCluster } from './real-cluster.ts';
import type { RealCluster } from './real-cluster.ts';
import { release } from './release.ts';
import { createRootDirectory } from './root-directory.ts';
import { assertLine, parseEvents, parseLog, SEED } from './seed-lines.ts';

const KFDEF = `apiVersion: kfdef.apps.kubeflow.org/v1
kind: KfDef
metadata:
  name: balancer
  namespace: kubeflow
spec:
  applications:
  - name: namespaces
    kustomizeConfig:
      repoRef:
        name: manifests
        path: namespaces
  - name: metallb
    kustomizeConfig:
      repoRef:
        name: manifests
        path: metallb
      overlays:
      - speaker
      parameters:
      - name: addresses
        value: 10.0.0.100-10.0.0.110
`;
const POOL = `apiVersion: v1
kind: ConfigMap
metadata:
  namespace: metallb-system
  name: config
data:
  config: |
    address-pools:
    - name: default
      protocol: layer2
      addresses:
      - 10.0.0.100-10.0.0.110
`;
const VIP = '10.0.0.101';
const NODE = 'k8s-node';

describe('the load balancer on a real Kubernetes', { skip: whyNoRealCluster() }, () => {
  let home: Home;
  let cluster: RealCluster;
  let client: ClientHost;
  let place: { home: string; kubeconfig: string };
  let app: string;
  const log = (component: string): string =>
    kubectl(place, 'logs', '-n', 'metallb-system', '-l', `component=${component}`, '--tail=-1');
  const doctor = (wanted: string): string => {
    const { stdout } = kfctl(place, app, 'doctor', '-o', 'json');
    const { reports } = JSON.parse(stdout) as { reports: { findings: Record<string, string>[] }[] };
    const found = reports.flatMap(({ findings }) => findings).find(({ subject }) => subject === wanted);
    return found === undefined ? stdout : `${found['level']}: ${found['finding']}`;
  };
  const describeNginx = (): string => kubectl(place, 'describe', 'service', 'nginx');

  before(() => {
    home = createHome();
    cluster = startRealCluster();
    addImages();
    client = createClientHost({ bridge: NODE_LINK, nodeAddress: '10.0.0.11/24', address: '10.0.0.204/24' });
    place = { home: home.directory, kubeconfig: cluster.kubeconfig };
    app = path.join(home.directory, 'balancer');
  });
  after(() => {
    client?.remove();
    cluster?.stop();
    home?.remove();
  });

  function addImages(): void {
    cluster.loadArchive(release().image);
    const nginx = path.join(home.directory, 'nginx-image');
    createRootDirectory(nginx, { '/usr/sbin/nginx': '/usr/sbin/nginx' });
    for (const folder of ['var/log/nginx', 'var/lib/nginx', 'run', 'html', 'etc/nginx'])
      mkdirSync(path.join(nginx, folder), { recursive: true });
    cpSync('/usr/share/nginx/html/index.html', path.join(nginx, 'html/index.html'));
    writeFileSync(
      path.join(nginx, 'etc/nginx/nginx.conf'),
      'user root; events {} http { server { listen 80; root /html; } }\n',
    );
    cluster.addImage(nginx, 'nginx:latest', { Cmd: ['/usr/sbin/nginx', '-g', 'daemon off;'] });
  }

  it('is applied by kfctl and becomes ready', () => {
    const kfdef = path.join(home.directory, 'kfdef.yaml');
    writeFileSync(kfdef, KFDEF);
    const init = kfctl(place, home.directory, 'init', 'balancer', `--config=${kfdef}`);
    assert.equal(init.code, 0, init.stderr);
    assert.equal(kfctl(place, app, 'generate', 'all').code, 0);
    confineSpeaker(app);
    const applied = kfctl(place, app, 'apply', 'all', '-V');
    assert.equal(applied.code, 0, applied.stderr);
    kubectlInput(place, POOL, 'apply', '-f', '-');
  });

  it('gives an address to a new service, with the event and the log line', async () => {
    // As in the document: the gateway has the first address.
    kubectl(place, 'create', 'service', 'loadbalancer', 'istio-ingressgateway', '-n', 'istio-system', '--tcp=443:443');
    await eventually('the gateway to have its address', () =>
      log('controller').includes('"ip":"10.0.0.100"') ? true : undefined,
    );
    const made = kubectl(place, 'create', 'service', 'loadbalancer', 'nginx', '--tcp=80:80');
    assert.equal(made, 'service/nginx created\n');
    const event = await eventually('the event', () =>
      parseEvents(describeNginx()).find(({ reason }) => reason === 'IPAllocated'),
    );
    assert.deepEqual(
      { ...event, age: '' },
      { type: 'Normal', reason: 'IPAllocated', age: '', from: 'metallb-controller', message: `Assigned IP "${VIP}"` },
    );
    assert.match(event.age, /^\d+s|<unknown>$/);
    assertLine(parseLog(log('controller')), SEED.allocated, ['caller', 'event', 'ip', 'msg', 'service', 'ts']);
  });

  it('announces it once a pod stands behind it, with the event and the log line', async () => {
    assert.ok(!describeNginx().includes('nodeAssigned'), 'nobody serves yet');
    const run = 'run nginx --image nginx --restart=Never -l app=nginx'.split(' ');
    // The image stands on the node already.
    const made = kubectl(place, ...run, '--image-pull-policy=IfNotPresent');
    assert.equal(made, 'pod/nginx created\n');
    const event = await eventually('the event', () =>
      parseEvents(describeNginx()).find(({ reason }) => reason === 'nodeAssigned'),
    );
    assert.deepEqual(
      { ...event, age: '' },
      {
        type: 'Normal',
        reason: 'nodeAssigned',
        age: '',
        from: 'metallb-speaker',
        message: `announcing from node "${NODE}"`,
      },
    );
    const keys = ['caller', 'event', 'ip', 'msg', 'pool', 'protocol', 'service', 'ts'];
    assertLine(parseLog(log('speaker')), SEED.announced, keys);
  });

  it('answers a request for it, to the asker alone, and says so', async () => {
    const { stdout } = client.exec('arping', '-c', '2', '-I', 'eth0', VIP);
    const mac = macOf(NODE_LINK);
    const lines = stdout.split('\n');
    assert.equal(lines[0], `ARPING ${VIP} from 10.0.0.204 eth0`);
    assert.match(lines[1] ?? '', new RegExp(`^Unicast reply from ${VIP} \\[${mac.toUpperCase()}\\] {2}[0-9.]+ms$`));
    assert.match(stdout, /Received 2 response/, 'one reply to each request');
    const keys = ['caller', 'interface', 'ip', 'msg', 'responseMAC', 'senderIP', 'senderMAC', 'ts'];
    const line = await eventually('the log line', () => assertLine(parseLog(log('speaker')), SEED.asked, keys));
    assert.deepEqual([line['interface'], line['responseMAC'], line['senderMAC']], [NODE_LINK, mac, client.mac]);
  });

  it('serves what stands behind it', async () => {
    const page = await eventually('the page', () => {
      const { code, stdout } = client.exec('curl', '-s', '--max-time', '5', `http://${VIP}`);
      return code === 0 ? stdout : undefined;
    });
    assert.match(page, /<p><em>Thank you for using nginx\.<\/em><\/p>/);
  });

  it('is explained by the doctor: who announces, and why nobody does', async () => {
    assert.match(doctor('Service default/nginx'), new RegExp(`^ok: has ${VIP}, announced from node "${NODE}"`));
    assert.match(doctor('Service istio-system/istio-ingressgateway'), /^problem: .* no endpoint is ready/);
    const patch = 'patch daemonset speaker -n metallb-system --type=merge -p'.split(' ');
    const select = (labels: string): string =>
      kubectl(place, ...patch, `{"spec":{"template":{"spec":{"nodeSelector":${labels}}}}}`);
    select('{"kubernetes.io/os":"linux","speakers":"none"}');
    await eventually('the doctor to miss the speaker', () =>
      /^problem: .* no speaker is ready on k8s-node/.test(doctor('Service default/nginx')) ? true : undefined,
    );
    select('{"kubernetes.io/os":"linux","speakers":null}');
    await eventually('the doctor to be content', () =>
      doctor('Service default/nginx').startsWith('ok') ? true : undefined,
    );
  });

  it('frees the address with the service', async () => {
    kubectl(place, 'delete', 'service', 'nginx');
    kubectl(place, 'delete', 'pod', 'nginx', '--grace-period=1');
    await eventually('silence', () =>
      client.exec('arping', '-c', '1', '-w', '1', '-I', 'eth0', VIP).code === 0 ? undefined : true,
    );
    kubectl(place, 'create', 'service', 'loadbalancer', 'another', '--tcp=80:80');
    await eventually('another service to get the address', () =>
      kubectl(place, 'get', 'service', 'another').includes(VIP) ? true : undefined,
    );
  });

  it('is deleted by kfctl, and only that', () => {
    const deleted = kfctl(place, app, 'delete', 'all');
    assert.equal(deleted.code, 0, deleted.stderr);
    const namespaces = kubectl(place, 'get', 'namespaces', '-o', 'name');
    assert.ok(!namespaces.includes('metallb-system') && namespaces.includes('namespace/default'), namespaces);
    assert.match(kubectl(place, 'get', 'service', 'another'), /another/);
  });
});
