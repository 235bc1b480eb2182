/** What Node programs of pods load before themselves (`--import`): the pod's names, and its network where that is an overlay. */
import { fileURLToPath } from 'node:url';
import { createHostsReader, installLookup } from '../dns/resolve-from-hosts.ts';
import { installOverlay } from '../overlay/install-overlay.ts';
import { parseOverlay } from '../overlay/overlay.ts';

const hosts = process.env['KFCTL_HOSTS_FILE'];
const overlay = process.env['KFCTL_OVERLAY'];
const wildcard = process.env['KFCTL_WILDCARD_ADDRESS'];

const find = hosts === undefined ? undefined : createHostsReader(fileURLToPath(hosts));
if (find !== undefined) installLookup(find);
if (overlay !== undefined) {
  installOverlay({
    overlay: parseOverlay(overlay),
    ...(wildcard === undefined ? {} : { wildcard }),
    ...(find === undefined ? {} : { resolve: (name) => find(name)[0]?.address }),
  });
}
