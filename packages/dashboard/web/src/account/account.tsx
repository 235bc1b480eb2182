/** Owns the page where people see and end their sessions, and make and end tokens for their programs. */
import { useCallback } from 'react';
import type { ReactElement } from 'react';
import { account } from '../api/account.ts';
import type { EnvInfo } from '../api/client.ts';
import { useLoaded } from '../api/use-loaded.ts';
import { Failure, Pending } from '../shell/notice.tsx';
import { useAfterEnd } from './after-end.tsx';
import { ApiTokens } from './api-tokens.tsx';
import { SessionTable } from './session-table.tsx';

export function Account({ info }: { readonly info: EnvInfo }): ReactElement {
  return (
    <>
      <div className="page-head">
        <h1>Sessions and tokens</h1>
        <p>Where you are logged in, and the tokens that let your programs in as you.</p>
      </div>
      <Sessions title="Your sessions" everybody={false} />
      <ApiTokens />
      {info.isClusterAdmin ? <Sessions title="Everybody’s sessions" everybody /> : null}
    </>
  );
}

function Sessions({ title, everybody }: { readonly title: string; readonly everybody: boolean }): ReactElement {
  const load = useCallback(() => (everybody ? account.everybodysSessions() : account.sessions()), [everybody]);
  const { data, reload } = useLoaded(load);
  const { heading, told, tell } = useAfterEnd();
  const onEnded = (what: string): void => {
    reload();
    tell(what);
  };
  const id = everybody ? 'all-sessions' : 'sessions';
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id} ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {told}
      {data.state === 'pending' ? <Pending what="sessions" /> : null}
      {data.state === 'failed' && data.status === 403 ? (
        <p className="empty">The AuthService does not list you among its administrators (setting ADMINISTRATORS).</p>
      ) : null}
      {data.state === 'failed' && data.status !== 403 ? <Failure {...data} retry={reload} /> : null}
      {data.state === 'ready' ? (
        <SessionTable sessions={data.value.sessions} everybody={everybody} onEnded={onEnded} />
      ) : null}
    </section>
  );
}
