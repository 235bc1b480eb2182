/** Owns how a moment is shown: in the reader's own time. */
import type { ReactElement } from 'react';

const FORM = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function Moment({ at }: { readonly at: string }): ReactElement {
  return <time dateTime={at}>{FORM.format(new Date(at))}</time>;
}
