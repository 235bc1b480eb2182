/** Owns the list of a person's API tokens and the ending of them. */
import { useState } from 'react';
import type { ReactElement } from 'react';
import { account } from '../api/account.ts';
import type { ApiToken } from '../api/account.ts';
import { useAction } from '../api/use-action.ts';
import { useLoaded } from '../api/use-loaded.ts';
import { Empty, Failure, Pending, Problem } from '../shell/notice.tsx';
import { MakeToken } from './make-token.tsx';
import { Moment } from './moment.tsx';

export function ApiTokens(): ReactElement {
  const { data, reload } = useLoaded(account.tokens);
  const [made, setMade] = useState('');
  return (
    <section className="card" aria-labelledby="tokens">
      <h2 id="tokens">API tokens</h2>
      <p className="hint">
        A program sends one as <code>Authorization: Bearer …</code> and is you, with the groups that you have now.
      </p>
      {data.state === 'pending' ? <Pending what="tokens" /> : null}
      {data.state === 'failed' ? <Failure {...data} retry={reload} /> : null}
      {data.state === 'ready' ? <TokenTable tokens={data.value.tokens} onChange={reload} /> : null}
      {made === '' ? null : <Made token={made} onDone={() => setMade('')} />}
      <MakeToken
        onMade={(token) => {
          setMade(token);
          reload();
        }}
      />
    </section>
  );
}

/** The token exists nowhere else: whoever goes on without it has to make another. */
function Made({ token, onDone }: { readonly token: string; readonly onDone: () => void }): ReactElement {
  return (
    <div className="made" role="status">
      <label htmlFor="made-token">Your new token. Copy it now: it is shown this once.</label>
      <div className="row">
        <input id="made-token" readOnly value={token} onFocus={(event) => event.target.select()} />
        <button type="button" onClick={onDone}>
          Done
        </button>
      </div>
    </div>
  );
}

function TokenTable(props: { readonly tokens: readonly ApiToken[]; readonly onChange: () => void }): ReactElement {
  const { tokens, onChange } = props;
  const { busy, problem, run } = useAction();
  if (tokens.length === 0) return <Empty>You have no tokens.</Empty>;
  return (
    <>
      <div className="table-scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Good for</th>
              <th scope="col">Last used</th>
              <th scope="col">Ends</th>
              <th scope="col">
                <span className="visually-hidden">Delete</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {tokens.map((token) => (
              <tr key={token.id}>
                <td>{token.name}</td>
                <td>{limitsOf(token)}</td>
                <td>{token.lastUsedAt === token.createdAt ? 'Never' : <Moment at={token.lastUsedAt} />}</td>
                <td>
                  <Moment at={token.expiresAt} />
                </td>
                <td>
                  <button
                    type="button"
                    className="quiet"
                    disabled={busy}
                    onClick={() => run(account.endToken(token.id), onChange)}
                  >
                    Delete<span className="visually-hidden"> the token {token.name}</span>
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Problem text={problem} />
    </>
  );
}

function limitsOf({ readOnly, paths }: ApiToken): string {
  const what = readOnly ? 'Reading' : 'Reading and writing';
  return paths.length === 0 ? what : `${what} below ${paths.join(', ')}`;
}
