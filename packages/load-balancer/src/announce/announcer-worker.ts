/** The announcing thread. A thread of its own, because answers must not wait for the speaker's other work. */
import { parentPort, workerData } from 'node:worker_threads';
import { AnnouncerThread } from './announcer-thread.ts';
import type { AnnouncerSettings } from './messages.ts';

if (parentPort !== null) {
  new AnnouncerThread(workerData as AnnouncerSettings, parentPort).run();
  parentPort.close();
}
