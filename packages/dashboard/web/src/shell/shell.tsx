/** Owns the frame around every page: navigation, namespace selector, account menu. */
import { useState } from 'react';
import type { MouseEvent, ReactElement, ReactNode } from 'react';
import { logOut } from '../api/client.ts';
import type { DashboardLinks, EnvInfo, MenuLink } from '../api/client.ts';
import { Icon, Logo } from './icons.tsx';
import type { IconName } from './icons.tsx';
import type { PageLocation } from './location.ts';

export interface ShellProps {
  readonly info: EnvInfo;
  readonly links: DashboardLinks;
  readonly page: PageLocation;
  readonly namespace: string | undefined;
  readonly onNamespace: (namespace: string) => void;
  readonly children: ReactNode;
}

export function Shell(props: ShellProps): ReactElement {
  const [open, setOpen] = useState(false);
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="topbar">
        <button
          type="button"
          className="quiet menu-button"
          aria-label="Menu"
          aria-expanded={open}
          aria-controls="navigation"
          onClick={() => setOpen(!open)}
        >
          <Icon name="menu" />
        </button>
        <span className="brand">
          <Logo />
          Kubeflow
        </span>
        <NamespaceSelector {...props} />
        <Account info={props.info} />
      </header>
      <nav
        id="navigation"
        className={open ? 'sidebar open' : 'sidebar'}
        aria-label="Main"
        onClick={() => setOpen(false)}
      >
        <Navigation {...props} />
        <footer className="version">Kubeflow by kfctl {props.info.platform.kubeflowVersion}</footer>
      </nav>
      <main id="main" tabIndex={-1}>
        {props.children}
      </main>
    </div>
  );
}

function Navigation({ links, page, namespace }: ShellProps): ReactElement {
  const items = (links.menuLinks ?? []).flatMap((link) => (link.items === undefined ? [link] : [...link.items]));
  return (
    <ul>
      <NavItem page={page} path="/" icon="home" text="Home" />
      <NavItem page={page} path="/activity" icon="activity" text="Activity" />
      {items.map((item) => (
        <NavItem
          key={`${item.link}${item.text}`}
          page={page}
          path={`/_${item.link ?? '/'}`}
          icon="app"
          text={item.text}
        />
      ))}
      {(links.externalLinks ?? []).map((item) => (
        <ExternalItem key={item.text} item={item} page={page} namespace={namespace} />
      ))}
      <NavItem page={page} path="/manage-users" icon="people" text="Contributors" />
      <NavItem page={page} path="/account" icon="key" text="Sessions and tokens" />
    </ul>
  );
}

interface NavItemProps {
  readonly page: PageLocation;
  readonly path: string;
  readonly icon: IconName;
  readonly text: string;
}

function NavItem({ page, path, icon, text }: NavItemProps): ReactElement {
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    page.navigate(path);
  };
  return (
    <li>
      <a href={path} onClick={follow} aria-current={page.path === path.split('#')[0] ? 'page' : undefined}>
        <Icon name={icon} />
        {text}
      </a>
    </li>
  );
}

function ExternalItem(props: {
  readonly item: MenuLink;
  readonly page: PageLocation;
  readonly namespace: string | undefined;
}): ReactElement {
  const { item, page, namespace } = props;
  const link = (item.link ?? '/').replaceAll('{ns}', encodeURIComponent(namespace ?? ''));
  if (item.iframe === true) return <NavItem page={page} path={`/_${link}`} icon="app" text={item.text} />;
  return (
    <li>
      <a href={/^(https?:|\/)/.test(link) ? link : '/'} target="_blank" rel="noopener noreferrer">
        <Icon name="link" />
        {item.text}
      </a>
    </li>
  );
}

function NamespaceSelector({ info, namespace, onNamespace }: ShellProps): ReactElement {
  if (info.namespaces.length === 0) return <span className="no-namespace">No namespace yet</span>;
  return (
    <label className="namespace">
      <span className="label">Namespace</span>
      <select value={namespace} onChange={(event) => onNamespace(event.target.value)}>
        {info.namespaces.map((one) => (
          <option key={one.namespace} value={one.namespace}>
            {one.role === 'owner' ? `${one.namespace} (Owner)` : one.namespace}
          </option>
        ))}
      </select>
    </label>
  );
}

function Account({ info }: { readonly info: EnvInfo }): ReactElement {
  const [leaving, setLeaving] = useState(false);
  const [failed, setFailed] = useState(false);
  const leave = (): void => {
    setLeaving(true);
    logOut(info.platform.logoutUrl).catch(() => {
      setLeaving(false);
      setFailed(true);
    });
  };
  return (
    <div className="account">
      <span className="who" title={info.user}>
        <span className="avatar" aria-hidden="true">
          {info.user.slice(0, 1).toUpperCase()}
        </span>
        <span className="user-id">{info.user}</span>
      </span>
      <button type="button" className="quiet" id="logout" onClick={leave} disabled={leaving}>
        <Icon name="out" />
        <span className="button-text">{failed ? 'Try again' : 'Log out'}</span>
      </button>
    </div>
  );
}
