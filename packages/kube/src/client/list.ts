/** Owns lists: page by page, so that neither side holds more than it must at once. */
import { AppError } from '@kfctl/core';
import { isKubeError } from '../errors.ts';
import { readObject } from './answer.ts';
import type { ListOptions, ListResult } from './kube-client.ts';
import { apiVersionOf } from './object.ts';
import type { KubeObject, ResourceType } from './object.ts';
import { renderQuery, resourcePath } from './resource-path.ts';
import type { Transport } from './transport.ts';

const PAGE_SIZE = 500;

interface WireList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: T[] | null;
}

export async function listResource<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: ListOptions,
): Promise<ListResult<T>> {
  const page = (limit: number | undefined, token?: string): Promise<WireList<T>> =>
    fetchPage(transport, type, { ...options, limit, token });
  const items: T[] = [];
  let token: string | undefined;
  for (;;) {
    const result = await page(PAGE_SIZE, token).catch((error: unknown) => {
      // The snapshot that the pages were cut from is gone: one list in one piece is consistent again.
      if (token !== undefined && isKubeError(error) && error.status === 410) return undefined;
      throw error;
    });
    if (result === undefined) return wholeList(type, await page(undefined));
    for (const item of result.items ?? []) items.push(item);
    token = result.metadata?.continue || undefined;
    if (token === undefined) return wholeList(type, { ...result, items });
  }
}

function wholeList<T extends KubeObject>(type: ResourceType<T>, list: WireList<T>): ListResult<T> {
  const items = list.items ?? [];
  const apiVersion = apiVersionOf(type);
  for (const item of items) {
    // Items of typed lists travel without them.
    item.apiVersion ??= apiVersion;
    item.kind ??= type.kind;
  }
  return { items, resourceVersion: list.metadata?.resourceVersion ?? '' };
}

interface PageOptions extends ListOptions {
  readonly limit: number | undefined;
  readonly token: string | undefined;
}

async function fetchPage<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: PageOptions,
): Promise<WireList<T>> {
  const query = renderQuery({
    limit: options.limit,
    continue: options.token,
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
  });
  const path = resourcePath(type, { namespace: options.namespace }) + query;
  const body = await readObject(
    await transport.send({ method: 'GET', path, signal: options.signal }),
    `list ${type.plural}`,
  );
  if (typeof body !== 'object' || body === null)
    throw new AppError('KUBE_ANSWER_INVALID', `list ${type.plural}: the answer is not a list`);
  return body as WireList<T>;
}
