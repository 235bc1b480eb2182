import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OutlierDetection } from '../../istio/traffic-policy/outlier-detection.ts';
import { Host } from './host.ts';
import { createOutliers } from './outliers.ts';
import type { Outcome } from './outliers.ts';

const SETTINGS: OutlierDetection = {
  consecutive5xxErrors: 3,
  consecutiveGatewayErrors: 0,
  consecutiveLocalErrors: 0,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionPercent: 100,
  minHealthPercent: 0,
};

class Bed {
  at = 1;
  readonly hosts: readonly Host[];
  readonly ejected: Host[] = [];
  readonly #outliers;

  constructor(change: Partial<OutlierDetection> = {}, count = 2) {
    this.hosts = Array.from({ length: count }, (_, index) => new Host({ host: `10.0.0.${index}`, port: 80 }));
    this.#outliers = createOutliers({
      settings: { ...SETTINGS, ...change },
      now: () => this.at,
      hosts: () => this.hosts,
      onEject: (host) => this.ejected.push(host),
    });
  }

  see(index: number, ...outcomes: Outcome[]): void {
    const host = this.hosts[index] ?? assert.fail();
    for (const outcome of outcomes) this.#outliers.observe(host, outcome);
  }

  /** Which endpoints may get requests. */
  usable(): number[] {
    return this.#outliers.usable(this.hosts).map((host) => this.hosts.indexOf(host));
  }
}

describe('an endpoint is left out', () => {
  test('after so many failures in a row, and an answer in between starts the count again', () => {
    const bed = new Bed();
    bed.see(0, 'error5xx', 'local', 'ok', 'error5xx', 'gateway-error');
    assert.deepEqual(bed.usable(), [0, 1]);
    bed.see(0, 'local');
    assert.deepEqual(bed.usable(), [1]);
    assert.equal(bed.ejected.length, 1);
  });

  test('for the base time, then twice as long, and less again after calm intervals', () => {
    const bed = new Bed();
    const eject = (): void => bed.see(0, 'local', 'local', 'local');
    eject();
    bed.at += 29_999;
    assert.deepEqual(bed.usable(), [1]);
    bed.at += 1;
    assert.deepEqual(bed.usable(), [0, 1]);
    eject();
    bed.at += 59_999;
    assert.deepEqual(bed.usable(), [1]);
    bed.at += 1;
    assert.deepEqual(bed.usable(), [0, 1]);
    for (let interval = 0; interval < 2; interval += 1) {
      bed.at += 10_000;
      bed.see(0, 'ok');
    }
    eject();
    bed.at += 30_000;
    assert.deepEqual(bed.usable(), [0, 1]);
  });

  test('by gateway errors alone, when only those are counted', () => {
    const bed = new Bed({ consecutive5xxErrors: 0, consecutiveGatewayErrors: 2 });
    bed.see(0, 'error5xx', 'error5xx', 'error5xx', 'gateway-error', 'error5xx', 'gateway-error');
    assert.deepEqual(bed.usable(), [0, 1]);
    bed.see(0, 'local');
    assert.deepEqual(bed.usable(), [1]);
  });

  test('by failures to answer alone, when these are counted apart', () => {
    const bed = new Bed({ consecutiveLocalErrors: 2 });
    bed.see(0, 'error5xx', 'local', 'error5xx');
    assert.deepEqual(bed.usable(), [0, 1]);
    bed.see(0, 'local');
    assert.deepEqual(bed.usable(), [1]);
  });
});

describe('endpoints are kept', () => {
  test('beyond the percentage that may go, but one may always go', () => {
    const bed = new Bed({ maxEjectionPercent: 50 }, 4);
    for (const index of [0, 1, 2, 3]) bed.see(index, 'local', 'local', 'local');
    assert.deepEqual(bed.usable(), [2, 3]);
    const single = new Bed({ maxEjectionPercent: 10 }, 1);
    single.see(0, 'local', 'local', 'local');
    assert.deepEqual(single.usable(), []);
  });

  test('all of them, when too few would be left', () => {
    const bed = new Bed({ minHealthPercent: 60 }, 2);
    bed.see(0, 'local', 'local', 'local');
    assert.deepEqual(bed.usable(), [0, 1]);
  });

  test('when none may go', () => {
    const bed = new Bed({ maxEjectionPercent: 0 });
    bed.see(0, 'local', 'local', 'local');
    assert.deepEqual(bed.usable(), [0, 1]);
  });
});
