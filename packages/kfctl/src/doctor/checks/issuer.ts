/** Looks whether the AuthService and dex mean the same issuer, and whether it can be reached. */
import { describeError } from '@kfctl/core';
import { parseYaml, resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import type { Check, CheckContext } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { readyEndpoints } from '../ready-endpoints.ts';

const SUBJECT = 'Deployment istio-system/authservice';
const DISCOVERY = 'dex/.well-known/openid-configuration';

export const issuerCheck: Check = {
  name: 'issuer',
  title: 'Issuer that the AuthService trusts',
  look: async (context) => {
    const provider = await readProvider(context.client);
    if (provider === undefined) {
      const finding = 'names no OIDC_PROVIDER, or does not exist';
      return [{ level: 'problem', subject: SUBJECT, finding, evidence: [], next: 'kfctl apply all' }];
    }
    const issuer = await readIssuer(context.client);
    const findings: Finding[] = [];
    if (issuer !== undefined && issuer !== provider) findings.push(explainDifference(provider, issuer));
    const serving = await readyEndpoints(context.client, hostOf(provider), 'istio-system');
    if (serving.kind === 'nobody') {
      const { finding, evidence, next } = serving;
      findings.push({
        level: 'problem',
        subject: SUBJECT,
        finding: `cannot reach ${provider}: ${finding}`,
        evidence,
        next,
      });
    }
    for (const url of context.urls) findings.push(...(await askDiscovery(context, url, provider)));
    return findings.length > 0 ? findings : [ok(SUBJECT, `trusts ${provider}, which answers as that`)];
  },
};

interface Container {
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

async function readProvider(client: KubeClient): Promise<string | undefined> {
  const deployment = await client.get(resources.deployments, 'authservice', { namespace: 'istio-system' });
  const containers = deployment?.spec?.template?.spec?.['containers'];
  const env = (Array.isArray(containers) ? (containers as Container[]) : []).flatMap(
    (container) => container.env ?? [],
  );
  return env.find(({ name }) => name === 'OIDC_PROVIDER')?.value || undefined;
}

/** Undefined where the configuration cannot be read: another check says so. */
async function readIssuer(client: KubeClient): Promise<string | undefined> {
  const map = await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' });
  try {
    const config = parseYaml(map?.data?.['config.yaml'] ?? '') as { issuer?: unknown } | undefined;
    return typeof config?.issuer === 'string' ? config.issuer : undefined;
  } catch {
    return undefined;
  }
}

function hostOf(provider: string): string {
  return URL.canParse(provider) ? new URL(provider).hostname : provider;
}

function explainDifference(provider: string, issuer: string): Finding {
  return {
    level: 'problem',
    subject: SUBJECT,
    finding: 'and dex do not mean the same issuer: every token will be refused',
    evidence: [`OIDC_PROVIDER of the AuthService: ${provider}`, `issuer of dex: ${issuer}`],
    next: 'make the parameters oidc_provider and issuer in app.yaml the same, then: kfctl generate all && kfctl apply all',
  };
}

async function askDiscovery({ fetchPage }: CheckContext, base: string, provider: string): Promise<readonly Finding[]> {
  const url = `${base}${DISCOVERY}`;
  const next = 'kubectl logs -n kubeflow -l app=dex';
  try {
    const { status, body } = await fetchPage(url);
    const told = status === 200 ? (JSON.parse(body) as { issuer?: string }).issuer : undefined;
    if (told === provider) return [];
    const evidence = [`GET ${url}: HTTP ${status}${told === undefined ? '' : `, issuer: ${told}`}`];
    return [{ level: 'problem', subject: 'dex', finding: `does not answer as ${provider}`, evidence, next }];
  } catch (error) {
    const evidence = [`GET ${url}: ${describeError(error)}`];
    return [{ level: 'problem', subject: 'dex', finding: 'cannot be asked through the gateway', evidence, next }];
  }
}
