import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { createKubeClient } from '../client/create-kube-client.ts';
import type { CoreEvent } from '../resources/core.ts';
import { answerStatus, startScriptedServer } from '../../test/scripted-server.ts';
import { recordEvent } from './record-event.ts';

const object = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', namespace: 'n', uid: 'u', resourceVersion: '3' },
};

describe('recordEvent', () => {
  it('raises the count of an event that was told before', async (t) => {
    const stored = new Map<string, CoreEvent>();
    const server = await startScriptedServer((request, response) => {
      const name = request.url.split('/')[6] ?? '';
      if (request.method === 'GET') return stored.get(name);
      const body = JSON.parse(request.body) as CoreEvent;
      if (request.method === 'PATCH') {
        stored.set(name, { ...(stored.get(name) as CoreEvent), ...body });
        return stored.get(name);
      }
      if (stored.has(body.metadata.name ?? '')) return answerStatus(response, 409, 'AlreadyExists');
      stored.set(body.metadata.name ?? '', body);
      return body;
    });
    const client = createKubeClient(server.config);
    t.after(async () => {
      client.close();
      await server.close();
    });
    const tell = (message: string, time: string): Promise<void> =>
      recordEvent({
        client,
        log: silentLogger,
        component: 'me',
        object,
        type: 'Normal',
        reason: 'Said',
        message,
        now: () => new Date(time),
      });
    await tell('hello', '2026-01-01T00:00:00Z');
    await tell('hello', '2026-01-02T00:00:00Z');
    await tell('else', '2026-01-03T00:00:00Z');
    const told = [...stored.values()];
    assert.deepEqual(
      told.map((event) => [event.message, event.count, event.firstTimestamp, event.lastTimestamp]),
      [
        ['hello', 2, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
        ['else', 1, '2026-01-03T00:00:00Z', '2026-01-03T00:00:00Z'],
      ],
    );
    assert.deepEqual(told[0]?.involvedObject, {
      apiVersion: 'v1',
      kind: 'Service',
      namespace: 'n',
      name: 's',
      uid: 'u',
      resourceVersion: '3',
    });
    assert.deepEqual(told[0]?.source, { component: 'me' });
  });

  it('does not fail the work that it tells about', async (t) => {
    const server = await startScriptedServer((_request, response) => answerStatus(response, 403, 'Forbidden'));
    const client = createKubeClient(server.config);
    t.after(async () => {
      client.close();
      await server.close();
    });
    await recordEvent({
      client,
      log: silentLogger,
      component: 'me',
      object,
      type: 'Warning',
      reason: 'Said',
      message: 'x',
    });
    assert.equal(server.seen.length, 1);
  });
});
