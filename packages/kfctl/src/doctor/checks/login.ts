/** Looks whether the gateway sends a browser that has not logged in to the login page. */
import { describeError } from '@kfctl/core';
import type { Check } from '../check.ts';
import { ok } from '../finding.ts';
import type { Finding } from '../finding.ts';

const LOGIN = '/dex/auth?client_id=';

export const loginCheck: Check = {
  name: 'login',
  title: 'Redirect to the login',
  look: async ({ urls, fetchPage }) => {
    const findings: Finding[] = [];
    for (const url of urls) {
      try {
        findings.push(judge(url, await fetchPage(url)));
      } catch (error) {
        findings.push({
          level: 'problem',
          subject: url,
          finding: 'does not answer from here',
          evidence: [describeCause(error)],
          next: `arping -I eth0 ${new URL(url).hostname}; kubectl logs -n istio-system -l istio=ingressgateway`,
        });
      }
    }
    return findings;
  },
};

/** The state in the address is bound to a login: it is not shown. */
function withoutState(location: string): string {
  return location.replace(/([?&])(state|nonce|code_challenge)=[^&]*/g, '$1$2=…');
}

function judge(url: string, { status, location }: { readonly status: number; readonly location: string }): Finding {
  const evidence = [`GET ${url}: HTTP ${status}${location === '' ? '' : `, location: ${withoutState(location)}`}`];
  if (status === 302 && location.startsWith(LOGIN)) return ok(url, 'sends a browser to the login page of dex');
  if (status === 302) {
    const finding = 'sends a browser elsewhere than to /dex/auth';
    const next = 'check OIDC_AUTH_URL: kubectl get deployment -n istio-system authservice -o yaml';
    return { level: 'problem', subject: url, finding, evidence, next };
  }
  if (status === 200) {
    const finding = 'shows a page without a login: the AuthService is not asked';
    const next =
      'kubectl get configmap -n istio-system istio -o yaml; kubectl get envoyfilters,authorizationpolicies -n istio-system';
    return { level: 'problem', subject: url, finding, evidence, next };
  }
  const finding =
    status >= 500
      ? 'the gateway cannot ask the AuthService, or that cannot ask dex'
      : 'answers what no login begins with';
  const next = 'kubectl logs -n istio-system -l app=authservice; kubectl logs -n kubeflow -l app=dex';
  return { level: 'problem', subject: url, finding, evidence, next };
}

function describeCause(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return `${describeError(error)}${code}`;
}
