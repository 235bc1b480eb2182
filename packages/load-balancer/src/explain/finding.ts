/** Owns the form in which the load balancer explains itself: what is so, what shows it, what to do next. */

export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  /** What it is about: `Service default/nginx`. */
  readonly subject: string;
  readonly finding: string;
  readonly evidence: readonly string[];
  /** A command to paste, or what to do. */
  readonly next?: string;
}

export function describePod({ metadata, spec, status }: ExplainedPod): string {
  const ready = isReadyPod({ metadata, spec, status }) ? 'ready' : 'not ready';
  const waiting = (status?.containerStatuses ?? []).map(({ state }) => state?.waiting?.reason ?? '').filter(Boolean);
  const why = waiting.length > 0 ? `, ${waiting.join(', ')}` : '';
  return `pod ${metadata.name ?? ''} on ${spec?.nodeName ?? 'no node'}: ${status?.phase ?? 'unknown'}, ${ready}${why}`;
}

export function isReadyPod({ status }: ExplainedPod): boolean {
  return (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True');
}

/** As much of a Pod as is looked at. */
export interface ExplainedPod {
  readonly metadata: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly nodeName?: string } | undefined;
  readonly status?:
    | {
        readonly phase?: string;
        readonly conditions?: readonly { readonly type: string; readonly status: string }[];
        readonly containerStatuses?: readonly {
          readonly state?: { readonly waiting?: { readonly reason?: string } };
        }[];
      }
    | undefined;
}
