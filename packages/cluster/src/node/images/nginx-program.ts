/** Owns the nginx image: the machine's nginx with a configuration rendered for the pod's address. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, installCommand } from './find-program.ts';
import type { ListenPlace, LocalProgram, PreparedProgram, ProgramRequest } from './program.ts';

const HTML = '/usr/share/nginx/html';
const SITES = '/etc/nginx/conf.d';

export function createNginxProgram(): LocalProgram {
  return {
    description: 'nginx, serving /usr/share/nginx/html on the pod address',
    missing: () =>
      findProgram('nginx') === undefined
        ? `nginx is not installed on this machine: ${installCommand({ apt: 'nginx-light', brew: 'nginx' })}`
        : undefined,
    async prepare(request) {
      const [first] = request.command.length > 0 ? request.command : request.args;
      if (first !== undefined && first !== 'nginx') return { argv: [...request.command, ...request.args] };
      return prepareServer(request);
    },
  };
}

async function prepareServer({ directory, mounts, place }: ProgramRequest): Promise<PreparedProgram> {
  const own = join(directory, 'nginx');
  const temporary = join(own, 'tmp');
  await mkdir(join(own, 'html'), { recursive: true });
  await mkdir(temporary, { recursive: true });
  const html = realPlace(mounts, HTML);
  const sites = realPlace(mounts, SITES);
  await writeFile(join(own, 'html', 'index.html'), WELCOME);
  const content =
    sites === undefined ? ({ kind: 'page', place: await place(80) } as const) : ({ kind: 'sites', sites } as const);
  const parts = { temporary, html: html ?? join(own, 'html'), content };
  const file = join(own, 'nginx.conf');
  await writeFile(file, renderConfiguration(parts));
  // Seen under their own names inside too: the node's directory is hidden from containers.
  const visible = [own, html, sites].filter((path) => path !== undefined);
  return {
    argv: [findProgram('nginx') ?? 'nginx', '-c', file, '-e', 'stderr', '-g', 'daemon off;'],
    mounts: visible.map((path) => ({ source: path, target: path, kind: 'directory', readOnly: false })),
  };
}

function realPlace(mounts: ProgramRequest['mounts'], target: string): string | undefined {
  return mounts.find((mount) => mount.target === target)?.source;
}

interface ServerParts {
  readonly temporary: string;
  readonly html: string;
  /** One page, or the pod's own conf.d. */
  readonly content:
    | { readonly kind: 'page'; readonly place: ListenPlace }
    | { readonly kind: 'sites'; readonly sites: string };
}

function renderConfiguration({ temporary, html, content }: ServerParts): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const servers =
    content.kind === 'sites'
      ? `include ${content.sites}/*.conf;`
      : `server { listen ${content.place.host}:${content.place.port}; server_name localhost; root ${html}; index index.html; }`;
  // As root, nginx would hand its workers to a user who may not enter the node's own directory.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${user}worker_processes 1;
pid ${temporary}/nginx.pid;
events { worker_connections 512; }
http {
  types { text/html html htm; text/css css; application/javascript js; application/json json; image/svg+xml svg; image/png png; text/plain txt; }
  default_type application/octet-stream;
  access_log /dev/stdout;
  ${kinds.map((kind) => `${kind}_temp_path ${temporary}/${kind};`).join(' ')}
  ${servers}
}
`;
}

const WELCOME = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Welcome to nginx!</title></head>
<body><h1>Welcome to nginx!</h1><p>This pod runs the nginx that is installed on this machine.</p>
<p><em>Thank you for using nginx.</em></p></body></html>
`;
