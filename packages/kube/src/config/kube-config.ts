/** Owns the description of one API server and of who we are to it; it must not know how either was found. */
import type { Secret } from '@kfctl/core';

/** What a credential source offers at one moment. */
export interface KubeCredential {
  /** The whole `Authorization` header value. */
  readonly authorization?: Secret;
  /** Client certificate chain and key in PEM, where the source rotates them (exec plugins). */
  readonly certificate?: { readonly cert: string; readonly key: Secret };
}

/** Where credentials come from; asked before every request, so that rotated tokens are used at once. */
export interface CredentialSource {
  current(): Promise<KubeCredential>;
  /** The server answered 401: the next `current()` must read or fetch anew. True when there is hope that this helps. */
  invalidate(): boolean;
}

export interface KubeTls {
  /** Certificate authorities in PEM; the system's when absent. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
  /** The name to verify and to send as SNI instead of the URL's host. */
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

export interface KubeConfig {
  /** Base URL of the API server; a path prefix is kept (Rancher and other proxies use one). */
  readonly server: string;
  readonly tls: KubeTls;
  readonly credentials: CredentialSource;
  /** The namespace of the context or of the pod; `default` when neither names one. */
  readonly namespace: string;
  /** An HTTP or HTTPS proxy that is asked to CONNECT. */
  readonly proxyUrl?: string;
  /** Impersonation headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** For messages: `in-cluster`, or the context and the files it came from. */
  readonly source: string;
}

/** A source that always offers the same. */
export function fixedCredentials(credential: KubeCredential = {}): CredentialSource {
  return { current: () => Promise.resolve(credential), invalidate: () => false };
}
