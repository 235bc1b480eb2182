/** Owns the servers that the rows of a section ask: one for each configuration, shared, and some that a row has for itself. */
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { startTestIdentity } from '../test-identity.ts';
import type { TestIdentity, TestOptions } from '../test-identity.ts';

export interface Servers {
  /** The one of these options; whoever moves its clock spoils it for nobody, but must not turn it back. */
  at(options?: TestOptions): Promise<TestIdentity>;
  /** One that no other row sees. */
  fresh(options?: TestOptions): Promise<TestIdentity>;
  /** To be done when the section ends. */
  after(work: () => unknown): void;
  stop(): Promise<void>;
}

export function createServers(): Servers {
  const shared = new Map<string, Promise<TestIdentity>>();
  const work: (() => unknown)[] = [];
  const start = async (options: TestOptions): Promise<TestIdentity> => {
    const identity = await startTestIdentity(options);
    work.push(() => identity.stop());
    return identity;
  };
  return {
    at: (options = {}) => {
      const key = JSON.stringify(options);
      const found = shared.get(key) ?? start(options);
      shared.set(key, found);
      return found;
    },
    fresh: (options = {}) => start(options),
    after: (task) => void work.push(task),
    stop: async () => {
      for (const task of work.toReversed()) await task();
    },
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends the path as it is written; fetch would tidy it up. */
export function ask(
  { origin }: Pick<TestIdentity, 'origin'>,
  path: string,
  { method = 'GET', headers = {} }: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
