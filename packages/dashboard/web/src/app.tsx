/** Owns which page is shown: the session's data first, then registration, then the page of the address. */
import { useEffect } from 'react';
import type { ReactElement } from 'react';
import { Account } from './account/account.tsx';
import { Activity } from './activity/activity.tsx';
import { api } from './api/client.ts';
import type { DashboardLinks, EnvInfo, WorkgroupState } from './api/client.ts';
import { useLoaded } from './api/use-loaded.ts';
import { AppFrame } from './frame/app-frame.tsx';
import { Home } from './home/home.tsx';
import { pickNamespace, rememberNamespace, usePageLocation } from './shell/location.ts';
import { Empty, Failure, Pending } from './shell/notice.tsx';
import { Shell } from './shell/shell.tsx';
import { Contributors } from './workspace/contributors.tsx';
import { Register } from './workspace/register.tsx';

interface SessionData {
  readonly info: EnvInfo;
  readonly state: WorkgroupState;
  readonly links: DashboardLinks;
}

async function loadSession(): Promise<SessionData> {
  const [info, state, links] = await Promise.all([
    api.envInfo(),
    api.exists(),
    api.links().catch((): DashboardLinks => ({})),
  ]);
  return { info, state, links };
}

export function App(): ReactElement {
  const { data, reload } = useLoaded(loadSession);
  if (data.state === 'pending') {
    return (
      <main className="alone">
        <Pending what="your workspace" />
      </main>
    );
  }
  if (data.state === 'failed') {
    return (
      <main className="alone">
        <Failure {...data} retry={reload} />
      </main>
    );
  }
  const { info, state } = data.value;
  const needsWorkspace = info.namespaces.length === 0 && !state.hasWorkgroup && state.registrationFlowAllowed;
  return needsWorkspace ? <Register info={info} state={state} onDone={reload} /> : <Pages session={data.value} />;
}

function Pages({ session }: { readonly session: SessionData }): ReactElement {
  const page = usePageLocation();
  const { info, links } = session;
  const namespace = pickNamespace(page.namespace, info.user, info.namespaces);
  useEffect(() => {
    if (namespace !== undefined) rememberNamespace(info.user, namespace);
  }, [info.user, namespace]);
  return (
    <Shell info={info} links={links} page={page} namespace={namespace} onNamespace={page.chooseNamespace}>
      {renderPage()}
    </Shell>
  );

  function renderPage(): ReactElement {
    if (page.path.startsWith('/_/'))
      return <AppFrame path={`${page.path.slice(2)}${page.hash}`} namespace={namespace} />;
    switch (page.path) {
      case '/':
        return <Home info={info} links={links} namespace={namespace} onNamespace={page.chooseNamespace} />;
      case '/activity':
        return <Activity namespace={namespace} />;
      case '/account':
        return <Account info={info} />;
      case '/manage-users':
        return <Contributors info={info} />;
      default:
        return <Empty>There is no page at this address.</Empty>;
    }
  }
}
