/**
 * Owns what is told to be gone while the store is asked about it: the store's answer may be older than the removal, which is told once, and
 * must not bring the session back.
 */
import type { SessionListener } from '@kfctl/oidc';

interface Question {
  readonly id: string;
  isOutOfDate: boolean;
}

export class Removals {
  readonly #underWay = new Set<Question>();

  /** The listener, with an ear for what is gone. */
  hearing(listener: SessionListener): SessionListener {
    return {
      put: (stored) => listener.put(stored),
      remove: (id) => {
        this.#mark((asked) => asked === id);
        listener.remove(id);
      },
      retain: (ids) => {
        this.#mark((asked) => !ids.has(asked));
        listener.retain(ids);
      },
      lost: () => listener.lost(),
      found: () => listener.found(),
    };
  }

  /** What `take` makes of the answer, before anything else is told; undefined where the session was told to be gone since the question. */
  async ask<Answer, Taken>(
    id: string,
    question: () => Promise<Answer>,
    take: (answer: Answer) => Taken,
  ): Promise<Taken | undefined> {
    const asked = { id, isOutOfDate: false };
    this.#underWay.add(asked);
    try {
      const answer = await question();
      return asked.isOutOfDate ? undefined : take(answer);
    } finally {
      this.#underWay.delete(asked);
    }
  }

  #mark(isGone: (id: string) => boolean): void {
    for (const question of this.#underWay) if (isGone(question.id)) question.isOutOfDate = true;
  }
}
