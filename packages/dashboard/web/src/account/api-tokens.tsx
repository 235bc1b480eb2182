/** Owns the list of a person's API tokens and the ending of them. */
import { useState } from 'react';
import type { ReactElement } from 'react';
import { account } from '../api/account.ts';
import type { ApiToken } from '../api/account.ts';
import { useAction } from '../api/use-action.ts';
import { useLoaded } from '../api/use-loaded.ts';
import { Empty, Failure, Pending, Problem } from '../shell/notice.tsx';
import { useAfterEnd } from './after-end.tsx';
import { MadeToken } from './made-token.tsx';
import { MakeToken } from './make-token.tsx';
import { Moment } from './moment.tsx';
import { Rows } from './rows.tsx';

export function ApiTokens(): ReactElement {
  const { data, reload } = useLoaded(account.tokens);
  const [made, setMade] = useState('');
  const { heading, told, tell } = useAfterEnd();
  const onEnded = ({ name }: ApiToken): void => {
    reload();
    tell(`The token ${name} is deleted.`);
  };
  return (
    <section className="card" aria-labelledby="tokens">
      <h2 id="tokens" ref={heading} tabIndex={-1}>
        API tokens
      </h2>
      {told}
      <p className="hint">
        A program sends one as <code>Authorization: Bearer …</code> and is you, with the groups of your last login.
      </p>
      {data.state === 'pending' ? <Pending what="tokens" /> : null}
      {data.state === 'failed' ? <Failure {...data} retry={reload} /> : null}
      {data.state === 'ready' ? <TokenTable tokens={data.value.tokens} onEnded={onEnded} /> : null}
      {made === '' ? null : <MadeToken token={made} onDone={() => setMade('')} />}
      <MakeToken
        onMade={(token) => {
          setMade(token);
          reload();
        }}
      />
    </section>
  );
}

interface TokenTableProps {
  readonly tokens: readonly ApiToken[];
  readonly onEnded: (token: ApiToken) => void;
}

function TokenTable({ tokens, onEnded }: TokenTableProps): ReactElement {
  const { busy, problem, run } = useAction();
  if (tokens.length === 0) return <Empty>You have no tokens.</Empty>;
  return (
    <>
      <Rows
        columns={['Name', 'Good for', 'Last used', 'Ends']}
        action="Delete"
        rows={tokens.map((token) => ({
          key: token.id,
          cells: [token.name, limitsOf(token), lastUseOf(token), <Moment at={token.expiresAt} />],
          action: (
            <button
              type="button"
              className="small"
              disabled={busy}
              onClick={() => run(account.endToken(token.id), () => onEnded(token))}
            >
              Delete<span className="visually-hidden"> the token {token.name}</span>
            </button>
          ),
        }))}
      />
      <Problem text={problem} />
    </>
  );
}

function lastUseOf({ lastUsedAt, createdAt }: ApiToken): ReactElement {
  return lastUsedAt === createdAt ? <>Never</> : <Moment at={lastUsedAt} />;
}

function limitsOf({ readOnly, paths }: ApiToken): string {
  const what = readOnly ? 'Reading' : 'Reading and writing';
  return paths.length === 0 ? what : `${what} below ${paths.join(', ')}`;
}
