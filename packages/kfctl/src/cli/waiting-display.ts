/**
 * Owns what a person sees while objects are waited for. On a terminal it is the live line: how many, how long, and the reasons, the oldest
 * first. Elsewhere it is a lasting line for each reason that has stood for a while, each once: a reason that comes and goes is no flood.
 */
import { formatDuration } from '@kfctl/core';
import type { Waiting } from '../apply/wait-for.ts';
import { describeId, keyOfId } from '../plan/object-id.ts';
import type { Terminal } from './terminal.ts';

export interface WaitingDisplay {
  /** Everything that is waited for now; nothing ends the display. */
  show(pending: readonly Waiting[]): void;
  end(): void;
}

export interface WaitingDisplayOptions {
  /** What the live line begins with. */
  readonly title: string;
  /** Milliseconds of a clock that does not jump. */
  readonly now?: () => number;
}

interface Subject {
  readonly name: string;
  readonly reason: string;
  /** Since when it has this reason. */
  readonly since: number;
  readonly told: ReadonlySet<string>;
}

const TICK_MS = 1000;
/** What lasts less is the ordinary course of things. */
const STEADY_MS = 3000;
const MAX_ALIKE = 3;

export function createWaitingDisplay(
  terminal: Terminal,
  { title, now = () => performance.now() }: WaitingDisplayOptions,
): WaitingDisplay {
  const started = now();
  let subjects = new Map<string, Subject>();
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const seconds = Math.floor((now() - started) / 1000);
    const took = seconds === 0 ? '' : ` (${seconds < 60 ? `${seconds}s` : formatDuration(seconds * 1000)})`;
    const oldest = [...subjects.values()].toSorted((left, right) => left.since - right.since);
    const reasons = oldest.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
    terminal.progress(`${title} ${subjects.size}${took}: ${reasons}`);
  };
  const tell = (): void => {
    const due = [...subjects].filter(([, { reason, since, told }]) => !told.has(reason) && now() - since >= STEADY_MS);
    for (const [key, subject] of due) {
      subjects.set(key, { ...subject, told: new Set([...subject.told, subject.reason]) });
    }
    for (const [reason, group] of Map.groupBy(due, ([, subject]) => subject.reason)) {
      for (const name of inShort(group.map(([, subject]) => subject.name))) {
        terminal.note(`  waiting    ${name}: ${reason}`);
      }
    }
  };
  const tick = (): void => {
    if (!terminal.live || terminal.verbose) tell();
    draw();
  };
  const end = (): void => {
    clearInterval(timer);
    timer = undefined;
    subjects = new Map();
    terminal.progress(undefined);
  };
  return {
    end,
    show: (pending) => {
      const before = subjects;
      subjects = new Map(pending.map((waiting) => [keyOfId(waiting.id), follow(waiting, before, now())]));
      if (subjects.size === 0) return end();
      timer ??= setInterval(tick, TICK_MS).unref();
      draw();
    },
  };
}

/** Many with the same reason are one line. */
function inShort(names: readonly string[]): readonly string[] {
  if (names.length <= MAX_ALIKE) return names;
  return [`${names.length} objects (${names.slice(0, MAX_ALIKE).join(', ')}, …)`];
}

function follow({ id, readiness }: Waiting, before: ReadonlyMap<string, Subject>, now: number): Subject {
  const known = before.get(keyOfId(id));
  const reason = readiness.kind === 'ready' ? '' : readiness.reason;
  if (known?.reason === reason) return known;
  return { name: describeId(id), reason, since: now, told: known?.told ?? new Set() };
}
