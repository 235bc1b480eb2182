/** Owns lists: page by page, so that neither side holds more than it must at once. */
import { AppError } from '@kfctl/core';
import { isKubeError } from '../errors.ts';
import { readObject } from './answer.ts';
import type { ListResult, PageOptions } from './kube-client.ts';
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
  options: PageOptions,
): Promise<ListResult<T>> {
  if (options.limit !== undefined)
    return toResult(type, await fetchPage(transport, type, { ...options, limit: options.limit }));
  const page = (limit: number | undefined, token?: string): Promise<WireList<T>> =>
    fetchPage(transport, type, { ...options, limit, continue: token });
  const items: T[] = [];
  let token: string | undefined;
  for (;;) {
    const result = await page(PAGE_SIZE, token).catch((error: unknown) => {
      // The snapshot that the pages were cut from is gone: one list in one piece is consistent again.
      if (token !== undefined && isKubeError(error) && error.status === 410) return undefined;
      throw error;
    });
    if (result === undefined) return toResult(type, await page(undefined));
    for (const item of result.items ?? []) items.push(item);
    token = result.metadata?.continue || undefined;
    if (token === undefined) return toResult(type, { ...result, items });
  }
}

function toResult<T extends KubeObject>(type: ResourceType<T>, list: WireList<T>): ListResult<T> {
  const items = list.items ?? [];
  const apiVersion = apiVersionOf(type);
  for (const item of items) {
    // Items of typed lists travel without them.
    item.apiVersion ??= apiVersion;
    item.kind ??= type.kind;
  }
  const next = list.metadata?.continue || undefined;
  const version = list.metadata?.resourceVersion ?? '';
  return { items, resourceVersion: version, ...(next === undefined ? {} : { continue: next }) };
}

type Page = Omit<PageOptions, 'limit' | 'continue'> & {
  readonly limit: number | undefined;
  readonly continue?: string | undefined;
};

async function fetchPage<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: Page,
): Promise<WireList<T>> {
  const query = renderQuery({
    limit: options.limit,
    continue: options.continue,
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
