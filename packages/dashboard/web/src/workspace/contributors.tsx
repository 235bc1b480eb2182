/** Owns the page where owners let others into their workspaces, and admins see all of them. */
import { useCallback, useState } from 'react';
import type { FormEvent, ReactElement } from 'react';
import { api } from '../api/client.ts';
import type { EnvInfo } from '../api/client.ts';
import { useAction } from '../api/use-action.ts';
import { useLoaded } from '../api/use-loaded.ts';
import { Icon } from '../shell/icons.tsx';
import { Empty, Failure, Pending, Problem } from '../shell/notice.tsx';

export function Contributors({ info }: { readonly info: EnvInfo }): ReactElement {
  const owned = info.namespaces.filter(({ role }) => role === 'owner');
  return (
    <>
      <div className="page-head">
        <h1>Contributors</h1>
        <p>
          Who may work in your namespaces. A contributor can change everything in a namespace but not let others in.
        </p>
      </div>
      {owned.length === 0 ? <Empty>You own no namespace.</Empty> : null}
      {owned.map(({ namespace }) => (
        <NamespaceContributors key={namespace} namespace={namespace} />
      ))}
      {info.isClusterAdmin ? <AllNamespaces /> : null}
    </>
  );
}

function NamespaceContributors({ namespace }: { readonly namespace: string }): ReactElement {
  const load = useCallback(() => api.contributors(namespace), [namespace]);
  const { data, reload } = useLoaded(load);
  return (
    <section className="card" aria-labelledby={`contributors-${namespace}`}>
      <h2 id={`contributors-${namespace}`}>{namespace}</h2>
      {data.state === 'pending' ? <Pending what="contributors" /> : null}
      {data.state === 'failed' ? <Failure {...data} retry={reload} /> : null}
      {data.state === 'ready' ? <ContributorList namespace={namespace} people={data.value} onChange={reload} /> : null}
    </section>
  );
}

interface ContributorListProps {
  readonly namespace: string;
  readonly people: readonly string[];
  readonly onChange: () => void;
}

function ContributorList({ namespace, people, onChange }: ContributorListProps): ReactElement {
  const [email, setEmail] = useState('');
  const { busy, problem, run } = useAction();
  const change = (action: Promise<unknown>): void =>
    run(action, () => {
      setEmail('');
      onChange();
    });
  const add = (event: FormEvent): void => {
    event.preventDefault();
    change(api.addContributor(namespace, email.trim()));
  };
  return (
    <form onSubmit={add} noValidate>
      {people.length === 0 ? <Empty>Nobody else works here.</Empty> : null}
      <Chips people={people} busy={busy} onRemove={(person) => change(api.removeContributor(namespace, person))} />
      <div className="row">
        <label className="visually-hidden" htmlFor={`add-${namespace}`}>
          E-mail address of a new contributor to {namespace}
        </label>
        <input
          id={`add-${namespace}`}
          type="email"
          placeholder="name@example.org"
          value={email}
          aria-invalid={problem !== ''}
          onChange={(event) => setEmail(event.target.value)}
        />
        <button type="submit" disabled={busy || email.trim() === ''}>
          <Icon name="plus" />
          Add
        </button>
      </div>
      <Problem text={problem} />
    </form>
  );
}

interface ChipsProps {
  readonly people: readonly string[];
  readonly busy: boolean;
  readonly onRemove: (person: string) => void;
}

function Chips({ people, busy, onRemove }: ChipsProps): ReactElement {
  return (
    <ul className="chips">
      {people.map((person) => (
        <li key={person}>
          {person}
          <button type="button" className="quiet" disabled={busy} onClick={() => onRemove(person)}>
            <Icon name="cross" />
            <span className="visually-hidden">Remove {person}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function AllNamespaces(): ReactElement {
  const { data, reload } = useLoaded(api.allNamespaces);
  return (
    <section className="card" aria-labelledby="all-namespaces">
      <h2 id="all-namespaces">All namespaces</h2>
      {data.state === 'pending' ? <Pending what="namespaces" /> : null}
      {data.state === 'failed' ? <Failure {...data} retry={reload} /> : null}
      {data.state === 'ready' ? (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Namespace</th>
                <th scope="col">Owner</th>
                <th scope="col">Contributors</th>
              </tr>
            </thead>
            <tbody>
              {data.value.map(([namespace, owner, others]) => (
                <tr key={namespace}>
                  <td>{namespace}</td>
                  <td>{owner}</td>
                  <td>{others}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </section>
  );
}
