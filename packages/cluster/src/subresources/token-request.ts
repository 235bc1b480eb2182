/** Owns `serviceaccounts/token`: bound, short-lived tokens. */
import { parseContext } from '../api/query-options.ts';
import type { ResourceCall, SubresourceHandler } from '../api/resource-handler.ts';
import type { ApiAnswer } from '../api/api-request.ts';
import type { BoundObject, TokenIssuer } from '../auth/service-account-tokens.ts';
import { renderTime } from '../registry/object-meta.ts';
import type { Registry } from '../registry/registry.ts';
import { conflict, invalid, methodNotAllowed, notFound } from '../registry/status-error.ts';
import { subjectOf } from '../registry/registry-deps.ts';
import { asArray, asObject, asString, isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const DEFAULT_SECONDS = 3600;
const TABLES: Readonly<Record<string, string>> = { Pod: '/pods', Secret: '/secrets', Node: '/nodes' };

export function createTokenRequests(registry: Registry, tokens: TokenIssuer): SubresourceHandler {
  return async (call): Promise<ApiAnswer> => {
    const { target, info, request } = call;
    if (info.verb !== 'create') throw methodNotAllowed(subjectOf(target), info.verb);
    const context = parseContext(request, 'CreateOptions');
    const account = registry.get(target);
    const body = asObject((await request.body()) ?? {});
    const spec = asObject(body['spec']);
    const asked = asArray(spec['audiences'])
      .map(asString)
      .filter((audience) => audience !== '');
    const audiences = asked.length > 0 ? asked : [tokens.issuer];
    const expirationSeconds = requireSeconds(spec['expirationSeconds']);
    const bound = boundObject(registry, call, spec['boundObjectRef']);
    const { token, expiresAt } = tokens.issue({
      namespace: target.namespace,
      serviceAccount: target.name,
      serviceAccountUid: account.uid,
      audiences,
      expirationSeconds,
      ...(bound === undefined ? {} : { bound }),
    });
    const answer: JsonObject = {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: target.name, namespace: target.namespace, creationTimestamp: renderTime(new Date()) },
      spec: { audiences, expirationSeconds, boundObjectRef: spec['boundObjectRef'] ?? null },
      status: { token, expirationTimestamp: renderTime(expiresAt) },
    };
    return { status: 201, body: answer, warnings: context.warnings };
  };
}

function requireSeconds(value: unknown): number {
  const seconds = typeof value === 'number' ? value : DEFAULT_SECONDS;
  if (seconds >= MIN_SECONDS && seconds <= MAX_SECONDS) return seconds;
  const detail =
    seconds < MIN_SECONDS
      ? 'may not specify a duration less than 10 minutes'
      : 'may not specify a duration larger than 2^32 seconds';
  const subject = { group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest', name: '' };
  throw invalid(subject, [{ kind: 'invalid', field: 'spec.expirationSeconds', value: seconds, detail }]);
}

function boundObject(registry: Registry, { target }: ResourceCall, reference: unknown): BoundObject | undefined {
  if (!isObject(reference)) return undefined;
  const kind = asString(reference['kind']);
  const name = asString(reference['name']);
  const table = TABLES[kind];
  if (table === undefined || (kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node')) {
    throw invalid({ group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest', name: '' }, [
      {
        kind: 'invalid',
        field: 'spec.boundObjectRef',
        value: kind,
        detail: `cannot bind token to object of type ${kind}`,
      },
    ]);
  }
  const stored = registry.deps.store.get(table, kind === 'Node' ? '' : target.namespace, name);
  const plural = table.slice(1);
  if (stored === undefined) throw notFound({ group: '', plural, name });
  const uid = asString(reference['uid']);
  if (uid !== '' && uid !== stored.uid) {
    throw conflict(
      { group: '', plural, name },
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return { kind, name, uid: stored.uid };
}
