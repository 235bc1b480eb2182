// `kfctl kustomize` and nothing else of kfctl: the whole command line would take longer to load than a small directory to build.
'use strict';
require('../../kustomize/bin/kustomize-js.cjs');
