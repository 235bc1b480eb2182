/** Owns an examination: the checks in the order in which a request meets what they look at, each failing alone. */
import { describeError, isAppError } from '@kfctl/core';
import type { KubeClient } from '@kfctl/kube';
import { resources } from '@kfctl/kube';
import type { UnknownObject } from '@kfctl/kube';
import { gatewayUrls } from '../apply/gateway-urls.ts';
import { GATEWAY_SERVICE } from '../credentials/plan-certificate.ts';
import type { Check, CheckContext } from './check.ts';
import { certificateCheck } from './checks/certificate.ts';
import { clusterCheck } from './checks/cluster.ts';
import { customResourceCheck } from './checks/custom-resources.ts';
import { dexCheck } from './checks/dex.ts';
import { issuerCheck } from './checks/issuer.ts';
import { loadBalancerCheck } from './checks/load-balancer.ts';
import { loginCheck } from './checks/login.ts';
import { routeCheck } from './checks/routes.ts';
import { versionCheck } from './checks/versions.ts';
import { workloadCheck } from './checks/workloads.ts';
import type { Finding } from './finding.ts';

/** The order of the seed's Troubleshooting first, then what it leaves to the reader. */
export const CHECKS: readonly Check[] = [
  loadBalancerCheck,
  routeCheck,
  loginCheck,
  dexCheck,
  issuerCheck,
  certificateCheck,
  workloadCheck,
  versionCheck,
  customResourceCheck,
];

export interface CheckReport {
  readonly check: string;
  readonly title: string;
  readonly findings: readonly Finding[];
}

export type ExamineOptions = Pick<CheckContext, 'client' | 'server' | 'now' | 'fetchPage' | 'runProgram'>;

/** Looks at everything; only a cluster that does not answer ends it early. */
export async function examine(options: ExamineOptions): Promise<readonly CheckReport[]> {
  const bare: CheckContext = { ...options, gateway: undefined, urls: [] };
  const first = await run(clusterCheck, bare);
  if (first.findings.some(({ level, subject }) => level === 'problem' && subject === 'cluster')) return [first];
  const gateway = await findGatewayService(options.client);
  const context = { ...bare, gateway, urls: gatewayUrls(gateway as UnknownObject | undefined) };
  const reports = [first];
  for (const check of CHECKS) reports.push(await run(check, context));
  return reports;
}

async function run(check: Check, context: CheckContext): Promise<CheckReport> {
  const { name, title } = check;
  try {
    return { check: name, title, findings: await check.look(context) };
  } catch (error) {
    const hint = isAppError(error) ? error.hint : undefined;
    const next = hint === undefined ? {} : { next: hint };
    const subject = check === clusterCheck ? 'cluster' : title;
    const finding = { level: 'problem', subject, finding: 'cannot be looked at', evidence: [describeError(error)] };
    return { check: name, title, findings: [{ ...finding, ...next } as Finding] };
  }
}

async function findGatewayService(client: KubeClient): Promise<CheckContext['gateway']> {
  const known = await client.get(resources.services, GATEWAY_SERVICE, { namespace: 'istio-system' });
  if (known !== undefined) return known;
  const fieldSelector = `metadata.name=${GATEWAY_SERVICE}`;
  const { items } = await client.list(resources.services, { fieldSelector }).catch(() => ({ items: [] }));
  return items[0];
}
