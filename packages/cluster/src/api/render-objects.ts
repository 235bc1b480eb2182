/** Owns the forms in which objects leave the server: whole, as metadata only, or as rows of a table. */
import type { Printer, ServedResource } from '../resources/definition.ts';
import { servedApiVersion } from '../resources/definition.ts';
import type { ListPage } from '../registry/list-objects.ts';
import { readObject, renderStored } from '../registry/registry-deps.ts';
import type { JsonObject } from '../schema/json.ts';
import type { StoredObject } from '../store/stored-object.ts';
import type { Wanted } from './negotiate.ts';

export interface RenderOptions {
  readonly served: ServedResource;
  readonly wanted: Wanted;
  /** `None`, `Metadata` (default) or `Object`: what a table row carries. */
  readonly includeObject: string;
  readonly nowMs: number;
}

interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export function renderPage(page: ListPage, options: RenderOptions): string {
  const { served, wanted } = options;
  const metadata: ListMeta = {
    resourceVersion: String(page.revision),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remainingItemCount === undefined ? {} : { remainingItemCount: page.remainingItemCount }),
  };
  if (wanted.as === 'Table') {
    return JSON.stringify(
      renderTable(
        page.items.map((item) => readObject(item, served)),
        { options, metadata, withColumns: true },
      ),
    );
  }
  if (wanted.as.startsWith('PartialObjectMetadata')) {
    const items = page.items.map((item) => partialObject(readObject(item, served), 'PartialObjectMetadata'));
    return JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items });
  }
  const { listKind } = served.definition;
  const head = JSON.stringify({ kind: listKind, apiVersion: servedApiVersion(served), metadata });
  const items = page.items.map((item) => renderStored(item, served)).join(',');
  return `${head.slice(0, -1)},"items":[${items}]}`;
}

/** One object; `withColumns` is false for all but the first event of a watch. */
export function renderObject(object: JsonObject, options: RenderOptions, withColumns = true): JsonObject {
  if (options.wanted.as === 'Table') {
    const metadata = {
      resourceVersion: String((object['metadata'] as JsonObject | undefined)?.['resourceVersion'] ?? ''),
    };
    return renderTable([object], { options, metadata, withColumns });
  }
  return options.wanted.as === 'PartialObjectMetadata' ? partialObject(object, 'PartialObjectMetadata') : object;
}

export function renderOneStored(stored: StoredObject, options: RenderOptions): string {
  if (options.wanted.as === '') return renderStored(stored, options.served);
  return JSON.stringify(renderObject(readObject(stored, options.served), options));
}

interface TableParts {
  readonly options: RenderOptions;
  readonly metadata: ListMeta;
  readonly withColumns: boolean;
}

function renderTable(objects: readonly JsonObject[], { options, metadata, withColumns }: TableParts): JsonObject {
  const { printer } = options.served.version;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withColumns ? columnsOf(printer) : null,
    rows: objects.map((object) => ({
      cells: printer.cells(object, options.nowMs),
      ...rowObject(object, options.includeObject),
    })),
  };
}

function columnsOf(printer: Printer): JsonObject[] {
  return printer.columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

function rowObject(object: JsonObject, include: string): JsonObject {
  if (include === 'None') return {};
  return { object: include === 'Object' ? object : partialObject(object, 'PartialObjectMetadata') };
}

function partialObject(object: JsonObject, kind: string): JsonObject {
  return { kind, apiVersion: 'meta.k8s.io/v1', metadata: object['metadata'] };
}
