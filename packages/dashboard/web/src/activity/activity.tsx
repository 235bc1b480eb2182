/** Owns the page of recent events in the chosen namespace, newest first, by day. */
import { useCallback } from 'react';
import type { ReactElement } from 'react';
import { api } from '../api/client.ts';
import type { KubeEvent } from '../api/client.ts';
import { useLoaded } from '../api/use-loaded.ts';
import { Empty, Failure, Pending } from '../shell/notice.tsx';

export function Activity({ namespace }: { readonly namespace: string | undefined }): ReactElement {
  return (
    <>
      <div className="page-head">
        <h1>Activity</h1>
        <p>{namespace === undefined ? 'Choose a namespace to see its events.' : `Recent events in ${namespace}`}</p>
      </div>
      {namespace === undefined ? null : <Events namespace={namespace} />}
    </>
  );
}

function Events({ namespace }: { readonly namespace: string }): ReactElement {
  const load = useCallback(() => api.activities(namespace), [namespace]);
  const { data, reload } = useLoaded(load, 15_000);
  if (data.state === 'pending') return <Pending what="events" />;
  if (data.state === 'failed') return <Failure {...data} retry={reload} />;
  const events = [...data.value].sort((a, b) => timeOf(b) - timeOf(a));
  if (events.length === 0) return <Empty>Nothing has happened here in the last hour.</Empty>;
  const days = Map.groupBy(events, (event) => dayOf(timeOf(event)));
  return (
    <>
      {[...days].map(([day, ofDay]) => (
        <section key={day} className="card" aria-label={day}>
          <h2>{day}</h2>
          <ul className="events">
            {ofDay.map((event) => (
              <li
                key={event.metadata.uid ?? event.metadata.name}
                className={event.type === 'Normal' ? 'normal' : 'warning'}
              >
                <time>{new Date(timeOf(event)).toLocaleTimeString()}</time>
                <span className="event-source">
                  {event.involvedObject?.kind} {event.involvedObject?.name}
                </span>
                <span>
                  <strong>{event.reason}</strong> {event.message}
                </span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function timeOf(event: KubeEvent): number {
  const text = event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
  return text === undefined || text === null ? 0 : Date.parse(text);
}

function dayOf(time: number): string {
  const day = new Date(time);
  return day.toDateString() === new Date().toDateString()
    ? 'Today'
    : day.toLocaleDateString(undefined, { dateStyle: 'full' });
}
