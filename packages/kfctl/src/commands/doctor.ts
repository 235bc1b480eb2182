/** Owns the command `kfctl doctor`. */
import { ExitCode } from '../cli/exit-code.ts';
import { examine } from '../doctor/examine.ts';
import { fetchPage } from '../doctor/fetch-page.ts';
import { renderReport, summarise } from '../doctor/render-report.ts';
import { runProgram } from '../doctor/run-program.ts';
import { chooseCluster } from './choose-cluster.ts';
import type { ClusterChoice } from './choose-cluster.ts';
import { readDexEnvironment } from './check-identity.ts';
import { connect } from './invocation.ts';
import type { Invocation } from './invocation.ts';

export interface DoctorFlags extends ClusterChoice {
  readonly output?: string;
}

/** Looks at everything and changes nothing; ends with exit code 1 when there is a problem. */
export async function runDoctor(invocation: Invocation, flags: DoctorFlags): Promise<void> {
  const { terminal, settings, signal } = invocation;
  const chosen = chooseCluster(invocation, flags);
  const isJson = flags.output === 'json';
  if (chosen.kind === 'none') {
    const text = `No local cluster runs on ${chosen.folder}. Start it: ${chosen.start}; or name a cluster: kfctl doctor --kubeconfig FILE`;
    terminal.result(isJson ? JSON.stringify({ healthy: false, reports: [] }) : text);
    throw new ExitCode(1);
  }
  const { client, server } = await connect(invocation, chosen.options);
  try {
    const reports = await examine({
      client,
      server,
      now: Date.now(),
      fetchPage,
      runProgram: async (name, args, input) => {
        const secrets = name === 'identity' ? await readDexEnvironment(client) : {};
        return runProgram(name, { args, input, env: { ...settings.env, ...secrets }, signal });
      },
    });
    const healthy = !reports.some(({ findings }) => findings.some(({ level }) => level === 'problem'));
    if (isJson) terminal.result(JSON.stringify({ healthy, server, reports }, undefined, 2));
    else {
      for (const line of renderReport(reports, terminal.style)) terminal.result(line);
      terminal.result(`\n${summarise(reports)}`);
    }
    if (!healthy) throw new ExitCode(1);
  } finally {
    client.close();
  }
}
