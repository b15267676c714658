// The tracing backend, in a process of its own: OTLP over gRPC is read and acknowledged.
import { acquireListener } from '@clew/net';

const collector = await acquireListener({
  endpoint: { transport: 'tcp4', host: '127.0.0.1', port: 0 },
  owner: 'bench',
});
collector.mountGrpc({
  name: 'opentelemetry.proto.collector.trace.v1.TraceService',
  methods: { Export: { kind: 'unary', handle: () => new Uint8Array(0) } },
});
process.send?.(collector.address.transport === 'tcp' ? collector.address.port : 0);
process.on('disconnect', () => process.exit(0));
