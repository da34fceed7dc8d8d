/** Diagnoses the worker of this observer thread, into a file. */
import { rmSync, statSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { readAvailableMemory } from '../platform/memory.js';
import { makePrivateFolder } from '../platform/private-folder.js';
import { fileFailureText } from '../platform/system-errors.js';
import { writeCpuProfile } from './cpu-profile.js';
import { runOnMainThread } from './main-thread.js';
import { beginDiagnosis, endLeftover } from './only-one.js';
import type { DiagnosticsKind, DiagnosticsOutcome, DiagnosticsRequest } from './request.js';
import { whyNoRoom } from './room.js';

export interface DiagnosticsNeeds {
  readonly slot: number;
  /** Of the service: what its workers share. */
  readonly serviceFolder: string;
  /** `diagnosticsFolder` of DIAGNOSTICS_DIR. */
  readonly folder: string;
  /** To the main thread. */
  readonly port: MessagePort;
  log(msg: string): void;
}

export interface Diagnostics {
  /** Whether the main thread may be blocked by us. */
  isRunning(): boolean;
  /** Never rejects. */
  diagnose(request: DiagnosticsRequest): Promise<DiagnosticsOutcome>;
}

const EXTENSIONS: Readonly<Record<DiagnosticsKind, string>> = {
  cpu: 'cpuprofile',
  heap: 'heapsnapshot',
  report: 'json',
};

export function createDiagnostics(needs: DiagnosticsNeeds): Diagnostics {
  const { slot, folder, port, log } = needs;
  let isRunning = false;
  endLeftover(needs.serviceFolder);

  async function write(request: DiagnosticsRequest): Promise<DiagnosticsOutcome> {
    makePrivateFolder(folder, 'read-only');
    const reason = whyNoRoom(request, roomIn(folder));
    if (reason !== undefined) return { ok: false, reason };
    const file = join(folder, fileName(request.kind, slot));
    try {
      if (request.kind === 'cpu') await writeCpuProfile(file, request.seconds);
      else await runOnMainThread(port, request.kind, file);
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
    log(`Worker ${process.pid} diagnosed: ${file}`);
    return { ok: true, file, bytes: statSync(file).size };
  }

  return {
    isRunning: () => isRunning,
    async diagnose(request) {
      try {
        const end = beginDiagnosis(needs.serviceFolder);
        if (typeof end === 'number') return { ok: false, reason: `worker ${end} is being diagnosed` };
        isRunning = true;
        return await write(request).finally(() => {
          isRunning = false;
          end();
        });
      } catch (error) {
        return {
          ok: false,
          reason: fileFailureText(error as Error, 'set DIAGNOSTICS_DIR to a folder of your own'),
        };
      }
    },
  };
}

function roomIn(folder: string): Parameters<typeof whyNoRoom>[1] {
  const { bavail, bsize } = statfsSync(folder);
  return {
    rss: process.memoryUsage.rss(),
    availableMemory: readAvailableMemory(),
    freeDisk: bavail * bsize,
  };
}

/** `cpu-slot0-4711-20261126T150405.123Z.cpuprofile` */
const fileName = (kind: DiagnosticsKind, slot: number): string =>
  `${kind}-slot${slot}-${process.pid}-${new Date().toISOString().replace(/[-:]/g, '')}.${EXTENSIONS[kind]}`;
