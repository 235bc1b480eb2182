/** Owns the list of sessions and the ending of them. */
import type { ReactElement } from 'react';
import { account } from '../api/account.ts';
import type { Session } from '../api/account.ts';
import { useAction } from '../api/use-action.ts';
import { Empty, Problem } from '../shell/notice.tsx';
import { Moment } from './moment.tsx';
import { nameOfBrowser } from './name-of-browser.ts';
import { Rows } from './rows.tsx';

export interface SessionTableProps {
  readonly sessions: readonly Session[];
  readonly everybody: boolean;
  /** What was ended, as a sentence. */
  readonly onEnded: (what: string) => void;
}

export function SessionTable({ sessions, everybody, onEnded }: SessionTableProps): ReactElement {
  const { busy, problem, run } = useAction();
  const end = (session: Session): void =>
    run(account.endSession(session.id), () => onEnded(`The session of ${titleOf(session)} has ended.`));
  // The one that people know comes first, then the youngest.
  const sorted = sessions.toSorted((left, right) => Number(right.current) - Number(left.current));
  if (sessions.length === 0) return <Empty>Nobody is logged in.</Empty>;
  return (
    <>
      <Rows
        columns={[...(everybody ? ['User'] : []), 'Browser', 'Logged in', 'Last used', 'Ends']}
        action="End"
        rows={sorted.map((session) => ({
          key: session.id,
          cells: [...(everybody ? [session.user] : []), ...cellsOf(session)],
          action: session.current ? (
            <span className="badge role-owner">This browser</span>
          ) : (
            <EndButton session={session} busy={busy} end={end} />
          ),
        }))}
      />
      {!everybody && sessions.some(({ current }) => !current) ? (
        <button
          type="button"
          className="end-all"
          disabled={busy}
          onClick={() => run(account.endOtherSessions(), () => onEnded('All other sessions have ended.'))}
        >
          End all other sessions
        </button>
      ) : null}
      <Problem text={problem} />
    </>
  );
}

function cellsOf({ userAgent, createdAt, lastUsedAt, expiresAt }: Session): readonly ReactElement[] {
  return [
    <span title={userAgent}>{nameOfBrowser(userAgent)}</span>,
    <Moment at={createdAt} />,
    <Moment at={lastUsedAt} />,
    <Moment at={expiresAt} />,
  ];
}

function titleOf({ user, userAgent }: Session): string {
  return `${user} in ${nameOfBrowser(userAgent)}`;
}

interface EndButtonProps {
  readonly session: Session;
  readonly busy: boolean;
  readonly end: (session: Session) => void;
}

function EndButton({ session, busy, end }: EndButtonProps): ReactElement {
  return (
    <button type="button" className="small" disabled={busy} onClick={() => end(session)}>
      End<span className="visually-hidden"> the session of {titleOf(session)}</span>
    </button>
  );
}
