/** What the request path does for the observer thread. */
import type { Request } from 'express';
import type { RequestStats } from './request-stats.js';
import type { InFlight } from './shared-state.js';

export interface Recorder {
  /** @returns what to give to {@link end} */
  begin(id: string, method: string, url: string, startedAt: number): number;
  /** @param ms how long the request took */
  end(place: number, request: Request, status: number, ms: number): void;
}

/** @param stats nothing where there are no metrics */
export function createRecorder(inFlight: InFlight, stats: RequestStats | undefined): Recorder {
  return {
    begin: inFlight.begin,
    end(place, request, status, ms) {
      inFlight.end(place);
      stats?.count(request.method, routeOf(request), status, ms / 1_000);
    },
  };
}

/** `/games/:id` as it was registered; empty where no route has matched. */
function routeOf({ route, baseUrl }: Request): string {
  // Regular expressions and lists become texts here.
  const path = (route as { readonly path: string } | undefined)?.path;
  return path === undefined ? '' : `${baseUrl}${path}`;
}
