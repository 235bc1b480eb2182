/** Owns finding of a configuration: a file, an address, or the name of a preset. */
import { readdirSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describeError } from '@kfctl/core';
import { kfctlError } from '../errors.ts';
import { shippedPackages } from './catalog.ts';

export interface Config {
  readonly text: string;
  /** As given, for messages. */
  readonly file: string;
  /** What relative paths in it are relative to. */
  readonly directory: string;
}

export const DEFAULT_PRESET = 'existing_arrikto';

const MAX_BYTES = 1024 * 1024;
const FETCH_TIMEOUT_MS = 20_000;

/** Reads `PATH | URL | PRESET`; throws `CONFIG_NOT_FOUND` that says what was tried. */
export async function readConfig(location: string, directory: string): Promise<Config> {
  if (/^https?:\/\//i.test(location)) return { text: await fetchText(location), file: location, directory };
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(location) && !location.startsWith('file://')) {
    throw kfctlError('CONFIG_NOT_FOUND', `cannot read ${location}: only http, https and files are understood`);
  }
  const file = location.startsWith('file://') ? new URL(location).pathname : path.resolve(directory, location);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() === true) {
    if (found.size > MAX_BYTES) throw tooLarge(location);
    return { text: await readFile(file, 'utf8'), file: location, directory: path.dirname(file) };
  }
  const preset = presetFile(location);
  if (preset !== undefined) {
    return { text: await readFile(preset, 'utf8'), file: path.basename(preset), directory: path.dirname(preset) };
  }
  throw kfctlError(
    'CONFIG_NOT_FOUND',
    `no configuration ${JSON.stringify(location)}: no such file, and no preset of that name`,
    {
      hint: `Give a file, an http(s) address or one of the presets: ${presetNames().join(', ')}.`,
    },
  );
}

/** The names that `--config` takes besides files and addresses. */
export function presetNames(): readonly string[] {
  return readdirSync(presetDirectory())
    .filter((file) => /^kfctl_.+\.yaml$/.test(file))
    .map((file) => file.replace(/^kfctl_(.+)\.yaml$/, '$1'))
    .toSorted();
}

/** `existing_arrikto`, `kfctl_existing_arrikto` and `kfctl_existing_arrikto.yaml` are the same preset. */
function presetFile(name: string): string | undefined {
  const bare = /^(?:kfctl_)?([a-z0-9_-]+?)(?:\.yaml)?$/.exec(name)?.[1]?.replaceAll('-', '_');
  return bare !== undefined && presetNames().includes(bare)
    ? path.join(presetDirectory(), `kfctl_${bare}.yaml`)
    : undefined;
}

function presetDirectory(): string {
  return path.join(shippedPackages(), 'presets');
}

async function fetchText(location: string): Promise<string> {
  const response = await fetch(location, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS), redirect: 'follow' }).catch(
    (cause: unknown) => {
      throw kfctlError('CONFIG_NOT_FOUND', `cannot fetch ${location}: ${describeError(cause)}`, {
        hint: 'Check the address and the network, or download the file and give its path.',
      });
    },
  );
  if (!response.ok) {
    throw kfctlError('CONFIG_NOT_FOUND', `cannot fetch ${location}: the server answered ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw tooLarge(location);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(location: string): Error {
  return kfctlError('CONFIG_NOT_FOUND', `${location} is larger than 1 MiB: that is no KfDef`);
}
