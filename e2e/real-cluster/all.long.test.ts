/** The suites on a real Kubernetes, one after the other: a machine holds one such cluster. */
import './metallb.suite.ts';
import './platform.suite.ts';
