/** Owns the writing of Events: what a controller tells people through `kubectl describe`. Never the reason that work fails. */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeClient } from '../client/kube-client.ts';
import type { KubeObject } from '../client/object.ts';
import { isKubeError } from '../errors.ts';
import { events } from '../resources/core.ts';
import type { CoreEvent } from '../resources/core.ts';

// Importing names of it loads Web Cryptography and more: megabytes in every process for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

export interface RecordEventInput {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'patch'>;
  readonly log: Logger;
  /** Who tells it: the `From` column. */
  readonly component: string;
  readonly host?: string;
  /** The object that it is about. */
  readonly object: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** UpperCamelCase, for programs. */
  readonly reason: string;
  /** For people; cut at 1024 characters. */
  readonly message: string;
  readonly now?: () => Date;
}

const MAX_MESSAGE = 1024;

/**
 * Records one event. Its name follows from object, reason and message, so the same event told again, by any replica and after any
 * restart, raises the count of the first instead of adding another. Failures are logged, not thrown.
 */
export async function recordEvent(input: RecordEventInput): Promise<void> {
  const event = renderEvent(input);
  try {
    await input.client.create(events, event);
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return raiseCount(input, event);
    complain(input, error);
  }
}

async function raiseCount({ client, ...input }: RecordEventInput, event: CoreEvent): Promise<void> {
  const { name = '', namespace = '' } = event.metadata;
  try {
    // Who may write events may often not read them: then the time moves and the count stays.
    const present = await client.get(events, name, { namespace }).catch((error: unknown) => {
      if (isKubeError(error, 'Forbidden')) return undefined;
      throw error;
    });
    const count = present?.count === undefined ? {} : { count: present.count + 1 };
    const body = { ...count, lastTimestamp: event.lastTimestamp };
    await client.patch(events, name, { namespace, patch: { kind: 'merge', body } });
  } catch (error) {
    complain(input, error);
  }
}

function renderEvent({
  object,
  component,
  host,
  type,
  reason,
  message,
  now = () => new Date(),
}: RecordEventInput): CoreEvent {
  const { namespace, name = '', uid = '', resourceVersion } = object.metadata;
  const text = message.slice(0, MAX_MESSAGE);
  const digest = createHash('sha256')
    .update([component, object.kind, uid, type, reason, text].join('\0'))
    .digest('hex');
  const time = now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // Events about cluster-scoped objects live in `default`, as the API server demands.
    metadata: { name: `${name.slice(0, 200)}.${digest.slice(0, 16)}`, namespace: namespace ?? 'default' },
    involvedObject: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      uid,
      ...(namespace === undefined ? {} : { namespace }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    type,
    reason,
    message: text,
    source: { component, ...(host === undefined ? {} : { host }) },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

function complain({ log, reason, object }: Pick<RecordEventInput, 'log' | 'reason' | 'object'>, error: unknown): void {
  log.warn('cannot record event', { reason, object: object.metadata.name, error: describeError(error) });
}
