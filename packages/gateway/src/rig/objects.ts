/** Owns the Kubernetes objects that tests feed to a gateway. Imported by tests only. */
import type { EndpointSlice, SecretObject, Service, UnknownObject } from '@kfctl/kube';
import type { MemorySources } from './memory-sources.ts';

export function kubeflowGateway(): UnknownObject {
  return {
    apiVersion: 'networking.istio.io/v1beta1',
    kind: 'Gateway',
    metadata: { name: 'kubeflow-gateway', namespace: 'kubeflow' },
    spec: {
      selector: { istio: 'ingressgateway' },
      servers: [
        { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'], tls: { httpsRedirect: true } },
        {
          port: { number: 443, name: 'https', protocol: 'HTTPS' },
          hosts: ['*'],
          tls: { mode: 'SIMPLE', credentialName: 'istio-ingressgateway-certs' },
        },
      ],
    },
  };
}

/** The same Gateway, with requests served on its plain port too. */
export function withoutRedirect(gateway: UnknownObject): UnknownObject {
  const { servers, ...spec } = gateway.spec as { servers: { tls: object }[] };
  const open = servers.map((server) => ({ ...server, tls: { ...server.tls, httpsRedirect: false } }));
  return { ...gateway, spec: { ...spec, servers: open } };
}

/** A VirtualService of the kubeflow gateway with these http rules. */
export function virtualService(
  name: string,
  http: unknown[],
  more: { namespace?: string; hosts?: string[]; created?: string } = {},
): UnknownObject {
  const { namespace = 'kubeflow', hosts = ['*'], created = '2026-01-01T00:00:00Z' } = more;
  return {
    apiVersion: 'networking.istio.io/v1beta1',
    kind: 'VirtualService',
    metadata: { name, namespace, creationTimestamp: created, uid: name },
    spec: { hosts, gateways: ['kubeflow/kubeflow-gateway'], http },
  };
}

/** `route: [{ destination }]` to a Service of the rig. */
export function to(host: string): { route: unknown[] } {
  return { route: [{ destination: { host: `${host}.kubeflow.svc.cluster.local`, port: { number: 80 } } }] };
}

export function policy(name: string, spec: unknown, namespace = 'istio-system'): UnknownObject {
  return {
    apiVersion: 'security.istio.io/v1beta1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace, uid: name },
    spec,
  };
}

/** The policy and mesh configuration that put an authorizer `authservice.istio-system:8080` before everything but `/dex/`. */
export function requireAuthservice(sources: MemorySources): void {
  sources.configMaps.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh: MESH },
  });
  sources.authorizationPolicies.put(
    policy('authservice', {
      selector: { matchLabels: { istio: 'ingressgateway' } },
      action: 'CUSTOM',
      provider: { name: 'authservice' },
      rules: [{ to: [{ operation: { notPaths: ['/dex/*'] } }] }],
    }),
  );
}

const MESH = `
extensionProviders:
- name: authservice
  envoyExtAuthzHttp:
    service: authservice.istio-system.svc.cluster.local
    port: 80
    timeout: 2s
    includeRequestHeadersInCheck: [authorization, cookie, x-auth-token, x-requested-with, accept]
    headersToUpstreamOnAllow: [kubeflow-userid, kubeflow-groups, kubeflow-assertion, cookie, x-team-*]
    headersToDownstreamOnDeny: [set-cookie]
`;

export interface TestPort {
  readonly name?: string;
  readonly appProtocol?: string;
}

export function service(name: string, namespace: string, port: TestPort = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080, ...port }] },
  };
}

export function endpointSlice(name: string, namespace: string, ports: readonly number[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: ports.map((port) => ({ name: 'http', port })),
  };
}

/** A self-signed certificate in the Secret that the test Gateway names. */
export async function testCredential(host: string): Promise<SecretObject> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${host}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'istio-ingressgateway-certs', namespace: 'istio-system' },
    data: {
      'tls.crt': Buffer.from(certificate.toString('pem')).toString('base64'),
      'tls.key': Buffer.from(key).toString('base64'),
    },
  };
}

export function destinationRule(
  name: string,
  spec: object,
  more: { namespace?: string; created?: string } = {},
): UnknownObject {
  const { namespace = 'kubeflow', created = '2026-01-01T00:00:00Z' } = more;
  return {
    apiVersion: 'networking.istio.io/v1beta1',
    kind: 'DestinationRule',
    metadata: { name, namespace, creationTimestamp: created, uid: `${namespace}-${name}` },
    spec,
  };
}
