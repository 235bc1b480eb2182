/**
 * Owns the explanation of the load balancer's state from the cluster's objects alone: pure, so that whoever can read them (kfctl doctor)
 * gets the same answers as the controller and the speakers. It judges by their own code: the parser, the allocator, the plan.
 */
import type { Service } from '@kfctl/kube';
import { Allocator } from '../allocate/allocator.ts';
import { adoptAll } from '../controller/converge-service.ts';
import { isOurs, serviceKey } from '../controller/service-wish.ts';
import type { Configuration } from '../pools/configuration.ts';
import { planAddresses } from '../speaker/plan-addresses.ts';
import { explainConfiguration } from './explain-configuration.ts';
import { explainService } from './explain-service.ts';
import { describePod, isReadyPod } from './finding.ts';
import type { ExplainedPod, Finding } from './finding.ts';
import { podsOf } from './world.ts';
import type { BalancerWorld, ServiceContext } from './world.ts';

/** Findings about the parts, the configuration, and each service of type LoadBalancer. */
export async function explain(world: BalancerWorld): Promise<readonly Finding[]> {
  const controllers = podsOf(world, 'controller');
  const wanting = world.services.filter(({ spec }) => spec?.type === 'LoadBalancer');
  if (controllers.length === 0) return explainAbsence(world, wanting);
  const { configuration, findings } = await explainConfiguration(world);
  const parts = explainController(world, controllers);
  if (configuration === undefined) return [...parts, ...findings];
  const context = simulate(world, configuration);
  return [...parts, ...findings, ...wanting.flatMap((service) => explainService(service, context))];
}

function explainAbsence(world: BalancerWorld, wanting: readonly Service[]): readonly Finding[] {
  const subject = 'load balancer';
  const pending = wanting.filter((service) => (service.status?.loadBalancer?.ingress ?? []).length === 0);
  if (pending.length === 0) {
    const finding = 'is not installed here; what gives addresses is another one';
    return wanting.length === 0 ? [] : [{ level: 'ok', subject, finding, evidence: [] }];
  }
  return [
    {
      level: 'problem',
      subject,
      finding: 'nobody gives addresses: no controller runs, and services wait',
      evidence: [`no pod app=metallb,component=controller in ${world.namespace}`, ...pending.map(pendingText)],
      next: 'uncomment the application metallb in app.yaml, then: kfctl generate all && kfctl apply all',
    },
  ];
}

function pendingText(service: Service): string {
  return `Service ${serviceKey(service)} has no address`;
}

function explainController({ namespace }: BalancerWorld, controllers: readonly ExplainedPod[]): readonly Finding[] {
  if (controllers.some(isReadyPod)) return [];
  return [
    {
      level: 'problem',
      subject: 'load balancer controller',
      finding: 'no pod of it is ready: no service gets an address',
      evidence: controllers.map(describePod),
      next: `kubectl describe pods -n ${namespace} -l app=metallb,component=controller`,
    },
  ];
}

function simulate(world: BalancerWorld, configuration: Configuration): ServiceContext {
  const { loadBalancerClass, services, namespaces } = world;
  const allocator = new Allocator();
  allocator.setPools(configuration.pools);
  const labels = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  const labelsOf = (name: string): Readonly<Record<string, string>> => labels.get(name) ?? {};
  const ours = services.filter((service) => isOurs(service, loadBalancerClass));
  const surroundings = { loadBalancerClass, labelsOf };
  adoptAll(ours, allocator, surroundings);
  const plan = planAddresses({ ...world, configuration, ignoreExcludeLabel: false });
  return { world, configuration, allocator, plan, surroundings };
}
