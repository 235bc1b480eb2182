/** Owns the trial of a connector that has no check of its own: it is opened, and asked where it would send somebody. */
import { describeError, silentLogger, systemClock } from '@kfctl/core';
import type { CallbackBegin, Connector, ConnectorEntry, ConnectorReport } from '../connectors/connector.ts';

const TIMEOUT_MS = 15_000;

const NOBODY: CallbackBegin = {
  seal: () => 'check',
  scopes: { groups: true, offlineAccess: false },
  loginHint: undefined,
};

/** Opening reads files and keys; beginning asks those upstreams that say themselves where they are. Nobody is logged in. */
export async function tryConnector({ id, open }: ConnectorEntry, basePath: string): Promise<ConnectorReport> {
  let connector: Connector | undefined;
  try {
    connector = await open({ id, log: silentLogger, clock: systemClock, callbackPath: `${basePath}/callback` });
    return { ok: true, lines: [await inTime(begin(connector))] };
  } catch (error) {
    return { ok: false, lines: [`failed: ${describeError(error)}`] };
  } finally {
    await connector?.close?.();
  }
}

async function begin({ callback, posted }: Connector): Promise<string> {
  const target =
    callback === undefined ? (await posted?.begin(NOBODY))?.action : (await callback.begin(NOBODY)).location;
  if (target === undefined) return 'its settings are good; it is not asked before somebody logs in';
  return `people are sent to ${target.split('?')[0]}`;
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
