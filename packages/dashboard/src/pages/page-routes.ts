/** Owns the static pages: the built files, read once into memory, with a strict content security policy. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '@kfctl/core';
import { textResponse } from '@kfctl/http';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';

// Importing names of it loads Web Cryptography and more: megabytes in every process for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

interface StaticFile {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

/** Paths that the pages route by themselves; everything else unknown is 404. */
const PAGE = /^\/($|_\/|activity$|manage-users$|account$|logout$)/;

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'SAMEORIGIN',
};

/** Serves the built pages below `directory`; throws `PAGES_MISSING` when they were not built. */
export function createPages(directory: string): HttpHandler {
  const files = loadFiles(directory);
  const index = files.get('/index.html');
  if (index === undefined) {
    throw new AppError('PAGES_MISSING', `no pages in ${directory}`, {
      hint: 'Build them: npm run build -w packages/dashboard',
    });
  }
  return (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return textResponse(405, 'method not allowed\n', { allow: 'GET, HEAD' });
    const file = files.get(request.path);
    if (file !== undefined) return answer(file, request);
    return PAGE.test(request.path) ? answer(index, request) : textResponse(404, 'not found\n', { ...SECURITY_HEADERS });
  };
}

function answer(file: StaticFile, request: HttpRequest): HttpResponse {
  const unchanged = request.headers['if-none-match'] === file.headers['etag'];
  return unchanged ? { status: 304, headers: file.headers } : { status: 200, headers: file.headers, body: file.body };
}

/** Request paths are looked up in this map and never joined to a file name, so no path can leave the directory. */
function loadFiles(directory: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const entry of listFiles(directory)) {
    const body = readFileSync(path.join(directory, entry));
    const hashed = entry.startsWith('assets/');
    files.set(`/${entry}`, {
      body,
      headers: {
        ...SECURITY_HEADERS,
        'content-type': CONTENT_TYPES[path.extname(entry)] ?? 'application/octet-stream',
        'cache-control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
        etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      },
    });
  }
  return files;
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
  } catch {
    return [];
  }
}
