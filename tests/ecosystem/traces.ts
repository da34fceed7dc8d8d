/** Where OpenTelemetry sends its spans: a receiver of OTLP over HTTP, in JSON. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';

export interface Span {
  /** The instrumentation that has made it. */
  readonly scope: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Traces {
  /** Makes OpenTelemetry send its spans here, and ask no other machine. */
  readonly env: Readonly<Record<string, string>>;
  readonly spans: readonly Span[];
  readonly close: () => void;
}

/** The part of `ExportTraceServiceRequest` that is read here. */
interface Sent {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly attributes: readonly { readonly key: string; readonly value: object }[];
      }[];
    }[];
  }[];
}

export async function receiveTraces(): Promise<Traces> {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    void json(request).then(sent => {
      spans.push(...spansOf(sent as Sent));
      response.setHeader('Content-Type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      OTEL_SERVICE_NAME: 'cabe-arena-api',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      // Others would ask a cloud who they are.
      OTEL_NODE_RESOURCE_DETECTORS: 'env',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
    spans,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function spansOf({ resourceSpans }: Sent): Span[] {
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ scope, spans }) =>
      spans.map(({ name, traceId, spanId, parentSpanId, attributes }) => ({
        scope: scope.name,
        name,
        traceId,
        spanId,
        parentSpanId,
        attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
      })),
    );
}
