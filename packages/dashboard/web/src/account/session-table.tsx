/** Owns the list of sessions and the ending of them. */
import type { ReactElement } from 'react';
import { account } from '../api/account.ts';
import type { Session } from '../api/account.ts';
import { useAction } from '../api/use-action.ts';
import { Empty, Problem } from '../shell/notice.tsx';
import { Moment } from './moment.tsx';
import { nameOfBrowser } from './name-of-browser.ts';

export interface SessionTableProps {
  readonly sessions: readonly Session[];
  readonly everybody: boolean;
  readonly onChange: () => void;
}

export function SessionTable({ sessions, everybody, onChange }: SessionTableProps): ReactElement {
  const { busy, problem, run } = useAction();
  const end = (session: Session): void => run(account.endSession(session.id), onChange);
  const others = sessions.filter(({ current }) => !current);
  if (sessions.length === 0) return <Empty>Nobody is logged in.</Empty>;
  return (
    <>
      <div className="table-scroll">
        <table>
          <Head everybody={everybody} />
          <tbody>
            {sessions.map((session) => (
              <tr key={session.id}>
                {everybody ? <td>{session.user}</td> : null}
                <td title={session.userAgent}>{nameOfBrowser(session.userAgent)}</td>
                {[session.createdAt, session.lastUsedAt, session.expiresAt].map((at, column) => (
                  <td key={column}>
                    <Moment at={at} />
                  </td>
                ))}
                <td>{session.current ? 'This browser' : <EndButton session={session} busy={busy} end={end} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!everybody && others.length > 0 ? (
        <button
          type="button"
          className="end-all"
          disabled={busy}
          onClick={() => run(account.endOtherSessions(), onChange)}
        >
          End all other sessions
        </button>
      ) : null}
      <Problem text={problem} />
    </>
  );
}

function Head({ everybody }: { readonly everybody: boolean }): ReactElement {
  const columns = [...(everybody ? ['User'] : []), 'Browser', 'Logged in', 'Last used', 'Ends'];
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <th scope="col" key={column}>
            {column}
          </th>
        ))}
        <th scope="col">
          <span className="visually-hidden">End</span>
        </th>
      </tr>
    </thead>
  );
}

interface EndButtonProps {
  readonly session: Session;
  readonly busy: boolean;
  readonly end: (session: Session) => void;
}

function EndButton({ session, busy, end }: EndButtonProps): ReactElement {
  const what = `${session.user} in ${nameOfBrowser(session.userAgent)}`;
  return (
    <button type="button" className="quiet" disabled={busy} onClick={() => end(session)}>
      End<span className="visually-hidden"> the session of {what}</span>
    </button>
  );
}
