/** Owns the picture of the platform: its components, grouped by where they stand, each with its state. */
import type { ReactElement } from 'react';
import type { ComponentHealth } from '../api/client.ts';
import { Empty } from '../shell/notice.tsx';

const TITLES: Readonly<Record<string, string>> = {
  authservice: 'Sessions (AuthService)',
  dex: 'Identity (Dex)',
  'istio-ingressgateway': 'Gateway',
  centraldashboard: 'Dashboard',
  'profiles-deployment': 'Workspaces and access',
  controller: 'Load balancer',
};

const STATES: Readonly<Record<ComponentHealth['state'], string>> = {
  ready: 'Ready',
  starting: 'Starting',
  down: 'Not ready',
};

export function HealthPicture({ components }: { readonly components: readonly ComponentHealth[] }): ReactElement {
  if (components.length === 0) return <Empty>No components found.</Empty>;
  const bad = components.filter(({ state }) => state !== 'ready').length;
  return (
    <>
      <p className={bad === 0 ? 'summary good' : 'summary bad'} role="status">
        {bad === 0
          ? `All ${components.length} components are ready.`
          : `${bad} of ${components.length} components need attention.`}
      </p>
      <ul className="components">
        {components.map((one) => (
          <li key={`${one.namespace}/${one.name}`} className={`component ${one.state}`}>
            <span className="dot" aria-hidden="true" />
            <span className="component-title">{TITLES[one.name] ?? one.name}</span>
            <span className="component-where">
              {one.namespace}/{one.name}
            </span>
            <span className="component-state">
              {STATES[one.state]} · {one.readyReplicas}/{one.replicas}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
