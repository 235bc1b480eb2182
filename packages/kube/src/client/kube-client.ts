/** Owns the contract of a Kubernetes client; the HTTP client and the local cluster's in-process client both keep it. */
import type { KubeObject, ResourceType } from './object.ts';

export interface ObjectPlace {
  /** Required for namespaced resources (except lists over all namespaces), absent for cluster-scoped ones. */
  readonly namespace?: string;
}

export interface ListOptions extends ObjectPlace {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly signal?: AbortSignal;
}

/** One page of a list: at most so many objects; `continue` of the page before leads to the next. */
export interface PageOptions extends ListOptions {
  readonly limit?: number;
  readonly continue?: string;
}

export interface ListResult<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** There is more; only where a limit was asked for. */
  readonly continue?: string;
}

export interface WatchOptions extends ListOptions {
  /** Events after this version; absent starts with synthetic ADDED events of the present state. */
  readonly resourceVersion?: string;
}

export type WatchEvent<T> =
  | { readonly kind: 'added' | 'modified' | 'deleted'; readonly object: T }
  | { readonly kind: 'bookmark'; readonly resourceVersion: string };

export interface WriteOptions extends ObjectPlace {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  /** `status`, `scale`, `token`, `eviction` … */
  readonly subresource?: string;
}

export interface ApplyOptions extends WriteOptions {
  /** Required: the owner of the fields (server-side apply). */
  readonly fieldManager: string;
  /** Take over fields that other managers own instead of failing with a conflict. */
  readonly force?: boolean;
}

export type PatchBody =
  | { readonly kind: 'json'; readonly operations: readonly unknown[] }
  | { readonly kind: 'merge'; readonly body: unknown }
  | { readonly kind: 'strategic'; readonly body: unknown };

export interface DeleteOptions extends ObjectPlace {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  /** Refuse (409) unless the object still is this one. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}

export interface LogOptions extends ObjectPlace {
  readonly container?: string;
  readonly follow?: boolean;
  readonly tailLines?: number;
  readonly previous?: boolean;
  readonly signal?: AbortSignal;
}

export interface RawRequest {
  readonly method: string;
  /** Path and query below the server's root, e.g. `/version`. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface RawResponse {
  readonly status: number;
  readonly body: unknown;
}

/** One resource that the server serves, as discovery tells it. */
export interface DiscoveredResource extends ResourceType {
  readonly verbs: readonly string[];
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly subresources: readonly string[];
}

/**
 * A typed Kubernetes client. Methods throw KubeError (an AppError with the server's status and reason) on every answer but
 * success; `get` and `delete` give undefined / false for 404, the outcome callers nearly always expect.
 */
export interface KubeClient {
  get<T extends KubeObject>(type: ResourceType<T>, name: string, place?: ObjectPlace): Promise<T | undefined>;
  list<T extends KubeObject>(type: ResourceType<T>, options?: PageOptions): Promise<ListResult<T>>;
  /** Ends when the server closes the watch; throws KubeError 410 (`Expired`) when the version is too old: list again. */
  watch<T extends KubeObject>(type: ResourceType<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  /** PUT: optimistic locking by metadata.resourceVersion; 409 `Conflict` when stale. */
  replace<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    change: { readonly patch: PatchBody } & WriteOptions,
  ): Promise<T>;
  /** Server-side apply. */
  apply<T extends KubeObject>(type: ResourceType<T>, object: T, options: ApplyOptions): Promise<T>;
  /** True when the object existed. */
  delete(type: ResourceType<KubeObject>, name: string, options?: DeleteOptions): Promise<boolean>;
  logs(podName: string, options?: LogOptions): AsyncIterable<Buffer>;
  /** Every resource of every served group, preferred versions first. Cached until `refresh`. */
  discover(options?: { readonly refresh?: boolean }): Promise<readonly DiscoveredResource[]>;
  request(request: RawRequest): Promise<RawResponse>;
  close(): void;
}
