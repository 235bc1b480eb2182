/** The doctor on a running platform: nothing to say while all is well, and each fault, really made, found with its next command. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createHome, eventually, kfctl, kubectl, kubectlInput, run, startPlatform } from './platform.ts';
import type { Home, Platform } from './platform.ts';

interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  readonly subject: string;
  readonly finding: string;
  readonly evidence: readonly string[];
  readonly next?: string;
}

let home: Home;
let platform: Platform;

before(async () => {
  home = createHome();
  platform = await startPlatform(home.directory);
});
after(async () => {
  await platform?.interrupt();
  home.remove();
});

function doctor(...args: string[]): { code: number; findings: readonly Finding[] } {
  const { code, stdout, stderr } = kfctl(
    platform,
    home.directory,
    'doctor',
    '--kubeconfig',
    platform.kubeconfig,
    '-o',
    'json',
    ...args,
  );
  assert.equal(stderr, '');
  const { healthy, reports } = JSON.parse(stdout) as { healthy: boolean; reports: { findings: Finding[] }[] };
  assert.equal(code, healthy ? 0 : 1);
  return { code, findings: reports.flatMap(({ findings }) => findings) };
}

/** Waits until the doctor finds it; the line that people would read. */
async function finds(expected: RegExp): Promise<string> {
  let seen = '';
  return eventually(`the doctor to find ${expected.source}, it found\n${seen}`, () => {
    const lines = doctor().findings.map(
      ({ level, subject, finding, evidence, next = '' }) =>
        `${level} ${subject}: ${finding} | ${evidence.join('; ')} | ${next}`,
    );
    seen = lines.join('\n');
    return lines.find((line) => expected.test(line));
  });
}

async function isWell(): Promise<void> {
  await eventually('the platform to be well again', () => (doctor().code === 0 ? true : undefined));
}

/** Makes a fault, looks, and puts back what was there. */
async function withChange(
  object: readonly string[],
  change: (yaml: string) => string,
  look: () => Promise<unknown>,
): Promise<void> {
  const before = kubectl(platform, 'get', ...object, '-o', 'yaml');
  kubectlInput(platform, change(before), 'replace', '-f', '-');
  try {
    await look();
  } finally {
    const current = kubectl(platform, 'get', ...object, '-o', 'jsonpath={.metadata.resourceVersion}');
    kubectlInput(
      platform,
      before.replace(/resourceVersion: .*/, `resourceVersion: "${current}"`),
      'replace',
      '-f',
      '-',
    );
  }
  await isWell();
}

test('finds nothing wrong with a platform that is well, and says so in words', async () => {
  await isWell();
  const { findings } = doctor();
  assert.deepEqual(
    findings.filter(({ level }) => level !== 'ok'),
    [],
  );
  const { code, stdout } = kfctl(platform, home.directory, 'doctor', '--data-dir', platform.dataDirectory);
  assert.equal(code, 0);
  assert.match(stdout, /^Cluster\n {2}ok {7}Kubernetes: v1/);
  assert.match(stdout, /Nothing is wrong\.\n$/);
  for (const secret of ['client-secret', 'session-key']) {
    const value = kubectl(
      platform,
      'get',
      'secret',
      '-n',
      'istio-system',
      'authservice',
      '-o',
      `jsonpath={.data.${secret}}`,
    );
    assert.ok(!stdout.includes(Buffer.from(value, 'base64').toString('utf8')));
  }
});

test('a cluster that does not answer, and one without the platform', () => {
  const file = path.join(home.directory, 'nowhere');
  const cluster = '{name: a, cluster: {server: "https://127.0.0.1:1"}}';
  writeFileSync(
    file,
    `apiVersion: v1\nkind: Config\nclusters: [${cluster}]\ncontexts: [{name: a, context: {cluster: a}}]\ncurrent-context: a\n`,
  );
  const { code, stdout } = kfctl(platform, home.directory, 'doctor', '--kubeconfig', file);
  assert.equal(code, 1);
  assert.match(stdout, /PROBLEM +cluster: cannot be looked at\n.*cannot reach the API server/);
  const nothing = kfctl(platform, home.directory, 'doctor', '--data-dir', path.join(home.directory, 'empty'));
  assert.equal(nothing.code, 1);
  assert.match(nothing.stdout, /No local cluster runs on .*\. Start it: kfctl up/);
});

test('a pool that is used up, a service without pods, a wrong pool configuration', async () => {
  const config = ['configmap', '-n', 'metallb-system', 'config'];
  const gateway = platform.address;
  await withChange(
    config,
    (yaml) => yaml.replace(/- [\d.]+-[\d.]+/, `- ${gateway}/32`),
    async () => {
      kubectl(platform, 'create', 'service', 'loadbalancer', 'second', '--tcp=80:80');
      assert.match(
        await finds(/problem Service default\/second/),
        /has no address: no available IPs \| pool default: 1 of 1 addresses in use/,
      );
      kubectl(platform, 'delete', 'service', 'second');
    },
  );
  kubectl(platform, 'create', 'service', 'loadbalancer', 'second', '--tcp=80:80');
  await finds(/Service default\/second: has .* nobody announces it: no endpoint is ready.*no pod with app=second/);
  kubectl(platform, 'delete', 'service', 'second');
  await withChange(
    config,
    (yaml) => yaml.replace('protocol: layer2', 'protocol: layer3'),
    async () => {
      assert.match(
        await finds(/ConfigMap metallb-system\/config/),
        /is not in force, what was good before it is.*address-pools\[0\].protocol: unknown protocol "layer3" \(line 3\).*kubectl edit configmap -n metallb-system config/,
      );
    },
  );
});

test('a virtual service that is missing, or leads nowhere', async () => {
  const route = ['virtualservice', '-n', 'kubeflow', 'centraldashboard'];
  const yaml = kubectl(platform, 'get', ...route, '-o', 'yaml');
  kubectl(platform, 'delete', ...route);
  assert.match(
    await finds(/VirtualService kubeflow\/centraldashboard/),
    /^problem .* does not exist.*kfctl apply all$/,
  );
  kubectlInput(
    platform,
    yaml.replaceAll(/^ {2}(resourceVersion|uid|creationTimestamp): .*\n/gm, ''),
    'create',
    '-f',
    '-',
  );
  await isWell();
  await withChange(
    route,
    (text) => text.replace(/host: .*/, 'host: nobody.kubeflow.svc.cluster.local'),
    async () => {
      assert.match(await finds(/leads to nobody/), /^problem .*there is no such Service/);
    },
  );
});

test('a broken configuration of dex, with its line', async () => {
  await withChange(
    ['configmap', '-n', 'kubeflow', 'dex'],
    (yaml) => yaml.replace(/^( +)issuer: /m, '$1isuer: '),
    async () => {
      assert.match(
        await finds(/ConfigMap kubeflow\/dex/),
        /^problem .*cannot be served.*isuer.*kubectl edit configmap -n kubeflow dex$/s,
      );
    },
  );
});

test('a certificate that has expired, and one for another address', async () => {
  const secret = ['secret', '-n', 'istio-system', 'istio-ingressgateway-certs'];
  const key = path.join(home.directory, 'key.pem');
  const make = (...args: string[]): string =>
    run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-subj',
      '/CN=x',
      ...args,
    ]).stdout;
  const put = (pem: string) => (yaml: string) =>
    yaml.replace(/tls\.crt: .*/, `tls.crt: ${Buffer.from(pem).toString('base64')}`);
  const san = `subjectAltName=IP:${platform.address}`;
  await withChange(secret, put(make('-days', '365', '-addext', 'subjectAltName=DNS:other.example.org')), async () => {
    assert.match(
      await finds(/is not for/),
      new RegExp(`^warning Secret istio-system/istio-ingressgateway-certs: is not for ${platform.address}`),
    );
  });
  await withChange(secret, put(make('-days', '10', '-addext', san)), async () => {
    assert.match(await finds(/expires in/), /^warning .* expires in \d days .* kfctl rotate certificate/);
  });
  const old = ['-not_before', '20200101000000Z', '-not_after', '20200201000000Z', '-addext', san];
  const expired = make(...old);
  // Older openssl has no words for the past.
  if (expired.includes('BEGIN'))
    await withChange(secret, put(expired), async () =>
      assert.match(await finds(/has expired/), /^problem .*valid from 2020-01-01/),
    );
});

test('an AuthService that is not there, and one that trusts another issuer', async () => {
  const deployment = ['deployment', '-n', 'istio-system', 'authservice'];
  await withChange(
    deployment,
    (yaml) => yaml.replace(/^ {2}replicas: 1/m, '  replicas: 0'),
    async () => {
      assert.match(
        await finds(/^problem https:/),
        /the gateway cannot ask the AuthService.*HTTP 503.*-l app=authservice/,
      );
      assert.match(await finds(/VirtualService istio-system\/authservice/), /no pod is ready/);
    },
  );
  await withChange(
    deployment,
    (yaml) => yaml.replace(/(name: OIDC_PROVIDER\n +value: ).*/, '$1http://dex.kubeflow.svc.cluster.local:5556/other'),
    async () => {
      assert.match(
        await finds(/do not mean the same issuer/),
        /^problem .*OIDC_PROVIDER of the AuthService: .*other; issuer of dex: .*\/dex/,
      );
    },
  );
});

test('a workload whose image cannot be had', async () => {
  await withChange(
    ['deployment', '-n', 'kubeflow', 'centraldashboard'],
    (yaml) => yaml.replace(/image: .*/, 'image: nobody/has:this'),
    async () => {
      assert.match(
        await finds(/Deployment kubeflow\/centraldashboard: is not ready.*ErrImagePull|ImagePullBackOff/),
        /kubectl describe -n kubeflow deployment\/centraldashboard/,
      );
    },
  );
});

test('a part of another version', async () => {
  await withChange(
    ['deployment', '-n', 'kubeflow', 'profiles-deployment'],
    (yaml) => yaml.replace(/image: kfctl\/platform:.*/, 'image: kfctl/platform:0.0.9'),
    async () => {
      assert.match(
        await finds(/runs version/),
        /^warning Deployment kubeflow\/profiles-deployment: runs version 0.0.9/,
      );
    },
  );
});

test('a kind that the cluster does not serve any more', async () => {
  kubectl(platform, 'delete', 'crd', 'requestauthentications.security.istio.io');
  assert.match(
    await finds(/CustomResourceDefinition requestauthentications/),
    /^problem .* does not exist .* kfctl apply all/,
  );
});
