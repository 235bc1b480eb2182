/** Owns the contract of a check: it looks, it changes nothing, and it gives findings. */
import type { KubeClient, Service } from '@kfctl/kube';
import type { Finding } from './finding.ts';
import type { Page } from './fetch-page.ts';
import type { ProgramResult } from './run-program.ts';

export interface CheckContext {
  readonly client: KubeClient;
  readonly server: string;
  /** The gateway's Service, when there is one. */
  readonly gateway: Service | undefined;
  /** `https://10.0.0.100/` … */
  readonly urls: readonly string[];
  readonly now: number;
  fetchPage(url: string): Promise<Page>;
  runProgram(program: 'identity' | 'load-balancer', args: readonly string[], input: string): Promise<ProgramResult>;
}

export interface Check {
  /** Its name in reports, for people and programs. */
  readonly name: string;
  readonly title: string;
  look(context: CheckContext): Promise<readonly Finding[]>;
}
