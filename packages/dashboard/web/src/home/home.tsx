/** Owns the first page: who you are, your workspaces, how the platform is. */
import type { ReactElement } from 'react';
import { api } from '../api/client.ts';
import type { DashboardLinks, EnvInfo, Membership } from '../api/client.ts';
import { useLoaded } from '../api/use-loaded.ts';
import { Icon } from '../shell/icons.tsx';
import { Empty, Failure, Pending } from '../shell/notice.tsx';
import { HealthPicture } from './health-picture.tsx';

export interface HomeProps {
  readonly info: EnvInfo;
  readonly links: DashboardLinks;
  readonly namespace: string | undefined;
  readonly onNamespace: (namespace: string) => void;
}

export function Home({ info, links, namespace, onNamespace }: HomeProps): ReactElement {
  const local = info.user.split('@')[0] ?? info.user;
  return (
    <>
      <div className="page-head">
        <h1>Welcome, {local}</h1>
        <p>
          You are logged in as <strong id="user">{info.user}</strong>
          {info.isClusterAdmin ? <span className="badge">Cluster admin</span> : null}
        </p>
      </div>
      <div className="grid">
        <section className="card" aria-labelledby="workspaces-title">
          <h2 id="workspaces-title">Your workspaces</h2>
          {info.namespaces.length === 0 ? (
            <Empty>You have no workspace yet. Ask an administrator, or the owner of one, to let you in.</Empty>
          ) : (
            <ul className="workspaces" id="namespaces">
              {info.namespaces.map((one) => (
                <Workspace key={one.namespace} one={one} chosen={one.namespace === namespace} onChoose={onNamespace} />
              ))}
            </ul>
          )}
        </section>
        <Health />
        <QuickLinks links={links} />
      </div>
    </>
  );
}

interface WorkspaceProps {
  readonly one: Membership;
  readonly chosen: boolean;
  readonly onChoose: (namespace: string) => void;
}

function Workspace({ one, chosen, onChoose }: WorkspaceProps): ReactElement {
  return (
    <li>
      <button type="button" className="workspace" aria-pressed={chosen} onClick={() => onChoose(one.namespace)}>
        <Icon name="box" />
        <span className="workspace-name">{one.namespace}</span>
        <span className={`badge role-${one.role}`}>{one.role}</span>
      </button>
    </li>
  );
}

function Health(): ReactElement {
  const { data, reload } = useLoaded(api.health, 10_000);
  return (
    <section className="card" aria-labelledby="health-title">
      <h2 id="health-title">Platform health</h2>
      {data.state === 'pending' ? <Pending what="health" /> : null}
      {data.state === 'failed' ? <Failure {...data} retry={reload} /> : null}
      {data.state === 'ready' ? <HealthPicture components={data.value.components} /> : null}
    </section>
  );
}

function QuickLinks({ links }: { readonly links: DashboardLinks }): ReactElement | null {
  const all = [...(links.quickLinks ?? []), ...(links.documentationItems ?? [])];
  if (all.length === 0) return null;
  return (
    <section className="card" aria-labelledby="links-title">
      <h2 id="links-title">Shortcuts</h2>
      <ul className="links">
        {all.map((one) => (
          <li key={one.text}>
            <a href={/^(https?:|\/)/.test(one.link) ? one.link : '/'}>{one.text}</a>
            {one.desc === undefined ? null : <small>{one.desc}</small>}
          </li>
        ))}
      </ul>
    </section>
  );
}
