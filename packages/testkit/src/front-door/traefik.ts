/** Owns a real Traefik with forwardAuth as a data plane: the configuration of `docs/guides/behind-envoy-nginx-traefik.md`. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CleansUp } from './cleanup.ts';
import type { Backends, DataPlane } from './data-plane.ts';
import { freePort, startProgram, temporaryDirectory, until } from './programs.ts';

const script = path.join(import.meta.dirname, '../../../../scripts/front-door-program.sh');
const found = spawnSync('bash', [script, 'traefik'], { encoding: 'utf8' });

export const traefik: DataPlane = {
  name: 'Traefik, forwardAuth',
  skip: found.status === 0 ? false : found.stderr.trim() || 'no traefik',
  tls: false,
  tellsProgramsFromPages: true,
  hidesSession: true,
  provesIdentity: true,
  reachesAccount: true,
  settings: { FORWARD_AUTH_ENABLED: 'true' },
  start: (cleanup, backends) => startTraefik(cleanup, backends),
};

/** `trustForwardHeader` takes what clients say of their own request for true: only to show what comes of it. */
export async function startTraefik(
  cleanup: CleansUp,
  backends: Backends,
  { trustForwardHeader = false }: { readonly trustForwardHeader?: boolean } = {},
): Promise<number> {
  const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
  const file = path.join(directory, 'traefik.yaml');
  await writeFile(file, JSON.stringify(dynamicConfig(backends, trustForwardHeader)));
  const flags = {
    'entryPoints.web.address': `127.0.0.1:${port}`,
    'providers.file.filename': file,
    'global.checkNewVersion': false,
    'global.sendAnonymousUsage': false,
    'log.level': 'ERROR',
    ...(trustForwardHeader ? { 'entryPoints.web.forwardedHeaders.insecure': true } : {}),
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const program = startProgram(cleanup, [found.stdout.trim(), ...args]);
  // It listens before it has its routes.
  await until(program, async () => (await statusOf(port)) !== 404);
  return port;
}

function dynamicConfig({ identity, authservice, application }: Backends, trustForwardHeader: boolean): object {
  const service = (backend: number): object => ({
    loadBalancer: { servers: [{ url: `http://127.0.0.1:${backend}` }] },
  });
  const forwardAuth = {
    address: `http://127.0.0.1:${authservice}/authservice/forward-auth`,
    trustForwardHeader,
    // The path of our login is meant for this site, not for the address that was asked.
    preserveLocationHeader: true,
    authResponseHeaders: [
      'kubeflow-userid',
      'kubeflow-groups',
      'kubeflow-assertion',
      'cookie',
      'authorization',
      'x-auth-token',
    ],
  };
  const aliases = { kubeflow_userid: '', kubeflow_groups: '', kubeflow_assertion: '' };
  return {
    http: {
      routers: {
        own: { rule: 'Path(`/login/oidc`) || Path(`/logout`) || PathPrefix(`/authservice/`)', service: 'authservice' },
        identity: { rule: 'PathPrefix(`/dex/`)', service: 'identity' },
        application: { rule: 'PathPrefix(`/`)', service: 'application', middlewares: ['aliases', 'authservice'] },
      },
      middlewares: { authservice: { forwardAuth }, aliases: { headers: { customRequestHeaders: aliases } } },
      services: {
        authservice: service(authservice),
        identity: service(identity),
        application: service(application),
      },
    },
  };
}

async function statusOf(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/login/oidc`, { redirect: 'manual' }).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status ?? 404;
}
