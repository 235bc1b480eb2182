/** The few objects that the hand-made cases are about, and the shapes that many of them share. */

import type { Case } from '../differential/case.ts';

export type Cases = Readonly<Record<string, Case>>;

export const web = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, annotations: {note: a}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "nginx:1", args: ["--x", "$(VAR)"], env: [{name: A, value: a-b-c}], ports: [{containerPort: 80}]}
      - {name: side, image: "registry:5000/a/b@sha256:00"}
`;

export const service =
  'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}], selector: {app: web}}\n';

const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v, host: a.b.c}\n';

/** The field that lists all three. */
export const objects = 'resources: [web.yaml, svc.yaml, cm.yaml]\n';

/** Selects the config map. */
export const configMap = 'kind: ConfigMap, name: conf';

/** A kustomization with the objects beside it, and other files. */
export function top(kustomization: string, more: Readonly<Record<string, string>> = {}): Case {
  const own = { 'kustomization.yaml': kustomization, 'web.yaml': web, 'svc.yaml': service, 'cm.yaml': config };
  const files = Object.entries(own).map(([name, content]) => [`top/${name}`, content] as const);
  return { files: { ...Object.fromEntries(files), ...more }, directory: 'top' };
}

export function replacement(source: string, target: string): string {
  return `${objects}replacements: [{source: {${source}}, targets: [${target}]}]\n`;
}

export function configMaps(generators: string): string {
  return `configMapGenerator: [${generators}]\n`;
}

export function secrets(generators: string): string {
  return `secretGenerator: [${generators}]\n`;
}

export function vars(entries: string): string {
  return `${objects}vars: [${entries}]\n`;
}
