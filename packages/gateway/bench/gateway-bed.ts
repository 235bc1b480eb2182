/** A gateway in a process of its own for benchmarks: `gateway-bed.ts APPLICATION AUTHSERVICE`; AUTHSERVICE 0: no check. Writes its ports to stderr. */
import { kubeflowGateway, requireAuthservice, to, virtualService, withoutRedirect } from '../src/rig/objects.ts';
import { startRig } from '../src/rig/rig.ts';

const [application = 0, authservice = 0] = process.argv.slice(2).map(Number);
const rig = await startRig({ env: { ACCESS_LOG: 'false' } });
rig.sources.gateways.put(withoutRedirect(kubeflowGateway()));
rig.addService('application', application);
rig.sources.virtualServices.put(virtualService('application', [to('application')]));
if (authservice !== 0) {
  rig.addService('authservice', authservice, 'istio-system');
  requireAuthservice(rig.sources);
}
await rig.settle();
process.stderr.write(`ports ${rig.plainPort()} ${rig.tlsPort()}\n`);
