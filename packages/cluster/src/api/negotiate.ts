/** Owns content negotiation: which form of an answer the Accept header asks for. */
import { StatusError } from '../registry/status-error.ts';

export interface Wanted {
  readonly format: 'json' | 'yaml';
  /** `Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, `APIGroupDiscoveryList` … or nothing. */
  readonly as: string;
  readonly group: string;
  readonly version: string;
}

const PLAIN: Wanted = { format: 'json', as: '', group: '', version: '' };
const FORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList', 'APIGroupDiscoveryList']);

/** The first form of the header that we have; 406 when there is none. */
export function negotiate(accept: string): Wanted {
  if (accept === '') return PLAIN;
  for (const entry of accept.split(',')) {
    const found = parseEntry(entry);
    if (found !== undefined) return found;
  }
  const message = 'only the following media types are accepted: application/json, application/yaml';
  throw new StatusError(406, 'NotAcceptable', { message });
}

function parseEntry(entry: string): Wanted | undefined {
  const [type = '', ...parameters] = entry.split(';').map((part) => part.trim());
  const values = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
  const format = formatOf(type.toLowerCase());
  if (format === undefined) return undefined;
  const as = values.get('as') ?? '';
  if (as !== '' && !FORMS.has(as)) return undefined;
  return { format, as, group: values.get('g') ?? '', version: values.get('v') ?? '' };
}

function formatOf(type: string): Wanted['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  return type === 'application/yaml' || type === 'text/yaml' ? 'yaml' : undefined;
}
