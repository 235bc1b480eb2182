/** Owns the judgement which failures of a write can heal by themselves; everything else fails at once. */
import { isAppError } from '@kfctl/core';
import { isKubeError } from '@kfctl/kube';

/** True for failures that waiting can heal: a kind not served yet, a webhook or server not ready, a namespace going away. */
export function isTransient(error: unknown): boolean {
  if (!isKubeError(error)) return isAppError(error) && error.code === 'KUBE_UNREACHABLE';
  if (error.status === 429 || error.status === 503 || error.status === 504) return true;
  // "the server could not find the requested resource": the path of a kind whose CRD was established a moment ago.
  if (error.reason === 'NotFound') return true;
  if (error.status === 500)
    return /failed calling webhook|connection refused|no endpoints available/.test(error.message);
  return error.reason === 'Forbidden' && /is being terminated|because it is being terminated/.test(error.message);
}
