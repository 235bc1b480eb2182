/** Owns `/static/*` and `/theme/*`: files of the operator's directory, for style sheets that name fonts or images. */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '@kfctl/core';
import type { HttpHandler, HttpResponse } from '@kfctl/http';
import type { FrontendConfig } from '../config/config.ts';
import { pageError } from './error-page.ts';
import { MEDIA_TYPES, readWebFile } from './theme.ts';

/** Pictures that fill a screen; they are read for each request. */
const MAX_BYTES = 4 * 1024 * 1024;

/** `folder` is below the directory; the rest of the path is the file, of known kinds alone, in folders of its own or none. */
export function createWebFilesEndpoint(
  { dir }: FrontendConfig,
  { folder, log }: { readonly folder: string; readonly log: Logger },
): HttpHandler {
  return ({ params }): HttpResponse => {
    const file = params['file'] ?? '';
    const type = MEDIA_TYPES[path.extname(file).toLowerCase()];
    // Still percent-encoded: nothing but plain names passes.
    const safe = /^(?:[\w-][\w.-]*\/){0,8}[\w-][\w.-]*$/.test(file) && type !== undefined;
    const bytes =
      safe && isInside(dir, path.join(folder, path.dirname(file)))
        ? readWebFile(dir, path.join(folder, file), { log, maxBytes: MAX_BYTES })
        : undefined;
    if (bytes === undefined || type === undefined) throw pageError(404, 'There is nothing here.');
    // An image may be opened by itself: nothing in it may run.
    const policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
    const headers = { 'content-type': type, 'cache-control': 'max-age=600', 'content-security-policy': policy };
    return { status: 200, headers, body: bytes };
  };
}

/** A link to a folder elsewhere would open all of it; a file may be a link, as those of a mounted ConfigMap are. */
function isInside(dir: string, folder: string): boolean {
  try {
    return dir !== '' && realpathSync(path.join(dir, folder)).startsWith(realpathSync(dir) + path.sep);
  } catch {
    return false;
  }
}
