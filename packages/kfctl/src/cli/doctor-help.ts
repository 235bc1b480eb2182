/** Owns the text that teaches `kfctl doctor`. */

export const DOCTOR_HELP = `
It looks at what a request meets, in that order, and changes nothing:
  load balancer   has the gateway (and every LoadBalancer service) an address, who announces it, and if nobody: why
  routes          the virtual services, their gateway, and whether somebody serves behind them
  login           is a browser sent to /dex/auth
  dex             its configuration, read as dex reads it; its connectors, as far as this machine reaches them
  issuer          do the AuthService and dex mean the same issuer, and does it answer
  certificate     of the gateway and its CA: in force, not near the end, for the right address
  workloads       what is not ready, with the reasons of its pods
  versions        does everything run the version of this kfctl
  kinds           is every kind still served in the version that was applied
Each finding comes with what shows it and with the next command. Begin with the first: later ones often follow from it.

In an application directory, or with --kubeconfig or --context, it looks at that cluster; else at the local one.
It needs to read the namespaces of the platform, and the Secrets that hold certificates. Exit code 1 when there is a problem.
Examples:
  kfctl doctor
  kfctl doctor --context lab -o json | jq '.reports[].findings[] | select(.level != "ok")'`;
