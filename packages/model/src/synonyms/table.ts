import { SpanKind } from '../otlp-numbers.ts';

/**
 * Attribute names that mean the same: the name current in OpenTelemetry's semantic conventions, then what older
 * conventions, OpenTracing and Zipkin called it. Data, and the only place where it is written down; `synonyms.ts` reads it.
 *
 * Sources: open-telemetry/semantic-conventions v1.44 (the deprecated registries, `docs/non-normative/*-migration.md`), the OpenTracing
 * tag names, Zipkin's tag names.
 */

/** How a value under an older name becomes one under the current name. */
export type Conversion =
  | 'text'
  | 'first_part'
  | 'before_query'
  | 'after_query'
  | 'host'
  | 'list'
  | 'db_system'
  | 'rpc_system'
  | 'grpc_status'
  | 'http_flavor'
  | 'net_transport'
  | 'ipv4'
  | 'jaeger_version';

/** An older name and what limits the equivalence. A bare string has no limits. */
export interface SynonymRow {
  readonly key: string;
  /** Only on spans of these kinds. */
  readonly kinds?: readonly number[];
  /** Only on events; else on spans and resources. */
  readonly level?: 'event';
  readonly convert?: Conversion;
  /** The value is that of `prefix`, `separator` and that of `key` joined, when the span has both. */
  readonly prefix?: string;
  readonly separator?: string;
}

const serverSide = [SpanKind.SERVER, SpanKind.CONSUMER] as const;
const clientSide = [SpanKind.CLIENT, SpanKind.PRODUCER] as const;
const noSide = [SpanKind.UNSPECIFIED, SpanKind.INTERNAL] as const;

/** Current name → older names. */
export const synonymTable: Readonly<Record<string, readonly (string | SynonymRow)[]>> = {
  'android.app.state': ['android.state'],
  'azure.ai.inference': ['az.ai.inference'],
  'azure.ai.openai': ['az.ai.openai'],
  'azure.client.id': ['db.cosmosdb.client_id'],
  'azure.cosmosdb.connection.mode': ['db.cosmosdb.connection_mode'],
  'azure.cosmosdb.consistency.level': ['db.cosmosdb.consistency_level'],
  'azure.cosmosdb.operation.contacted_regions': ['db.cosmosdb.regions_contacted'],
  'azure.cosmosdb.operation.request_charge': ['db.cosmosdb.request_charge'],
  'azure.cosmosdb.request.body.size': ['db.cosmosdb.request_content_length'],
  'azure.cosmosdb.response.sub_status_code': ['db.cosmosdb.sub_status_code'],
  'azure.resource_provider.namespace': ['az.namespace'],
  'azure.service.request.id': ['az.service_request_id'],
  'cassandra.consistency.level': ['db.cassandra.consistency_level'],
  'cassandra.coordinator.dc': ['db.cassandra.coordinator.dc'],
  'cassandra.coordinator.id': ['db.cassandra.coordinator.id'],
  'cassandra.page.size': ['db.cassandra.page_size'],
  'cassandra.query.idempotent': ['db.cassandra.idempotence'],
  'cassandra.speculative_execution.count': ['db.cassandra.speculative_execution_count'],
  'client.address': ['http.client_ip', { key: 'net.peer.name', kinds: serverSide }],
  'client.port': [{ key: 'net.peer.port', kinds: serverSide }],
  'code.column.number': ['code.column'],
  'code.file.path': ['code.filepath'],
  'code.function.name': [{ key: 'code.function', prefix: 'code.namespace', separator: '.' }],
  'code.line.number': ['code.lineno'],
  'container.label': ['container.labels'],
  'container.runtime.name': ['container.runtime'],
  'cpu.logical_number': ['system.cpu.logical_number'],
  'cpu.mode': ['container.cpu.state', 'process.cpu.state', 'system.cpu.state'],
  'db.client.connection.pool.name': ['pool.name', 'db.client.connections.pool.name'],
  'db.client.connection.state': ['state', 'db.client.connections.state'],
  'db.collection.name': ['db.cassandra.table', 'db.cosmosdb.container', 'db.mongodb.collection', 'db.sql.table'],
  'db.namespace': [
    'db.name',
    'db.elasticsearch.cluster.name',
    { key: 'db.redis.database_index', convert: 'text' },
    { key: 'db.mssql.instance_name', convert: 'first_part' },
    'db.instance',
  ],
  'db.operation.name': ['db.operation'],
  'db.operation.parameter': ['db.elasticsearch.path_parts'],
  'db.query.text': ['db.statement', 'sql.query'],
  'db.response.status_code': [{ key: 'db.cosmosdb.status_code', convert: 'text' }],
  'db.system.name': [{ key: 'db.system', convert: 'db_system' }, 'db.type'],
  'deployment.environment.name': ['deployment.environment'],
  'elasticsearch.node.name': ['db.elasticsearch.node.name'],
  'exception.message': [{ key: 'message', level: 'event' }],
  'exception.stacktrace': [
    { key: 'error.object', level: 'event' },
    { key: 'stack', level: 'event' },
  ],
  'exception.type': [{ key: 'error.kind', level: 'event' }],
  'faas.invocation_id': ['faas.execution'],
  'feature_flag.error.message': ['feature_flag.evaluation.error.message'],
  'feature_flag.provider.name': ['feature_flag.provider_name'],
  'feature_flag.result.reason': ['feature_flag.evaluation.reason'],
  'feature_flag.result.variant': ['feature_flag.variant'],
  'gcp.gemini': ['gemini'],
  'gcp.vertex_ai': ['vertex_ai'],
  'host.name': ['hostname'],
  'http.request.body.size': ['http.request_content_length_uncompressed', 'http.request_content_length'],
  'http.request.method': ['http.method'],
  'http.request.resend_count': ['http.resend_count', 'http.retry_count'],
  'http.response.body.size': ['http.response_content_length_uncompressed', 'http.response_content_length'],
  'http.response.status_code': ['http.status_code'],
  intersystems_cache: ['cache'],
  'ios.app.state': ['ios.state'],
  'jsonrpc.protocol.version': ['rpc.jsonrpc.version'],
  'jsonrpc.request.id': ['rpc.jsonrpc.request_id'],
  'k8s.pod.label': ['k8s.pod.labels'],
  'messaging.client.id': ['messaging.client_id'],
  'messaging.consumer.group.name': [
    'messaging.kafka.consumer.group',
    'messaging.eventhubs.consumer.group',
    'messaging.rocketmq.client_group',
  ],
  'messaging.destination.name': ['messaging.destination', 'message_bus.destination', 'kafka.topic'],
  'messaging.destination.partition.id': [
    { key: 'messaging.kafka.destination.partition', convert: 'text' },
    { key: 'messaging.kafka.partition', convert: 'text' },
  ],
  'messaging.destination.subscription.name': ['messaging.servicebus.destination.subscription_name'],
  'messaging.kafka.offset': ['messaging.kafka.message.offset'],
  'messaging.message.conversation_id': ['messaging.conversation_id'],
  'messaging.message.id': ['messaging.message_id'],
  'messaging.operation.name': ['messaging.operation'],
  'messaging.operation.type': ['messaging.operation'],
  'network.connection.state': ['system.network.state'],
  'network.local.address': ['net.host.ip', 'net.sock.host.addr'],
  'network.local.port': ['net.sock.host.port', { key: 'net.host.port', kinds: clientSide }],
  'network.peer.address': [
    'net.sock.peer.addr',
    'net.peer.ip',
    'peer.address',
    { key: 'peer.ipv4', convert: 'ipv4' },
    'peer.ipv6',
  ],
  'network.peer.port': ['net.sock.peer.port', 'peer.port', { key: 'net.peer.port', kinds: noSide }],
  'opencensus.exporterversion': [{ key: 'jaeger.version', convert: 'jaeger_version' }],
  'network.protocol.name': ['net.protocol.name'],
  'network.protocol.version': ['net.protocol.version', { key: 'http.flavor', convert: 'http_flavor' }],
  'network.transport': [{ key: 'net.transport', convert: 'net_transport' }],
  'otel.scope.name': ['otel.library.name'],
  'otel.scope.version': ['otel.library.version'],
  other_sql: ['cloudscape', 'firstsql', 'mssqlcompact'],
  output: ['completion'],
  'process.context_switch.type': ['process.context_switch_type'],
  'process.executable.build_id.htlhash': ['process.executable.build_id.profiling'],
  'process.state': ['system.processes.status', 'system.process.status'],
  'rpc.method': [{ key: 'rpc.method', prefix: 'rpc.service', separator: '/' }],
  'rpc.request.metadata': ['rpc.connect_rpc.request.metadata', 'rpc.grpc.request.metadata'],
  'rpc.response.metadata': ['rpc.connect_rpc.response.metadata', 'rpc.grpc.response.metadata'],
  'rpc.status_code': [
    'rpc.response.status_code',
    'rpc.connect_rpc.error_code',
    { key: 'rpc.grpc.status_code', convert: 'grpc_status' },
    { key: 'rpc.jsonrpc.error_code', convert: 'text' },
  ],
  'rpc.system.name': [{ key: 'rpc.system', convert: 'rpc_system' }],
  'server.address': [
    'http.server_name',
    'net.host.name',
    'tls.client.server_name',
    { key: 'net.peer.name', kinds: clientSide },
    { key: 'http.host', convert: 'host' },
    { key: 'messaging.url', convert: 'host' },
    { key: 'peer.hostname', kinds: clientSide },
  ],
  'server.port': ['net.host.port', { key: 'net.peer.port', kinds: clientSide }],
  'service.peer.name': ['peer.service'],
  'system.cpu.frequency': ['metric.cpu.frequency'],
  'system.cpu.time': ['metric.cpu.time'],
  'system.cpu.utilization': ['metric.cpu.utilization'],
  'system.memory.linux.slab.state': ['linux.memory.slab.state'],
  'system.paging.fault.type': ['process.paging.fault_type', 'system.paging.type'],
  'url.full': ['http.url'],
  'url.path': [
    { key: 'http.target', convert: 'before_query' },
    'http.path',
    { key: 'http.url', convert: 'before_query', kinds: serverSide },
  ],
  'url.query': [
    { key: 'http.target', convert: 'after_query' },
    { key: 'http.url', convert: 'after_query', kinds: serverSide },
  ],
  'url.scheme': ['http.scheme'],
  'user.roles': [{ key: 'enduser.role', convert: 'list' }],
  'user_agent.original': ['http.user_agent'],
  'vcs.change.id': ['vcs.repository.change.id'],
  'vcs.change.title': ['vcs.repository.change.title'],
  'vcs.ref.head.name': ['vcs.repository.ref.name'],
  'vcs.ref.head.revision': ['vcs.repository.ref.revision'],
  'vcs.ref.head.type': ['vcs.repository.ref.type'],
};

/** `db.system` values → `db.system.name` values; others are the same under both. */
export const dbSystems: Readonly<Record<string, string>> = {
  mssql: 'microsoft.sql_server',
  oracle: 'oracle.db',
  db2: 'ibm.db2',
  cosmosdb: 'azure.cosmosdb',
  dynamodb: 'aws.dynamodb',
  redshift: 'aws.redshift',
  spanner: 'gcp.spanner',
  hanadb: 'sap.hana',
  h2: 'h2database',
  firebird: 'firebirdsql',
  informix: 'ibm.informix',
  ingres: 'actian.ingres',
  maxdb: 'sap.maxdb',
  netezza: 'ibm.netezza',
  adabas: 'softwareag.adabas',
  intersystems_cache: 'intersystems.cache',
};

/** `rpc.system` values → `rpc.system.name` values; others are the same under both. */
export const rpcSystems: Readonly<Record<string, string>> = {
  apache_dubbo: 'dubbo',
  connect_rpc: 'connectrpc',
};

/** gRPC status numbers → names. */
export const grpcStatuses: Readonly<Record<string, string>> = {
  '0': 'OK',
  '1': 'CANCELLED',
  '2': 'UNKNOWN',
  '3': 'INVALID_ARGUMENT',
  '4': 'DEADLINE_EXCEEDED',
  '5': 'NOT_FOUND',
  '6': 'ALREADY_EXISTS',
  '7': 'PERMISSION_DENIED',
  '8': 'RESOURCE_EXHAUSTED',
  '9': 'FAILED_PRECONDITION',
  '10': 'ABORTED',
  '11': 'OUT_OF_RANGE',
  '12': 'UNIMPLEMENTED',
  '13': 'INTERNAL',
  '14': 'UNAVAILABLE',
  '15': 'DATA_LOSS',
  '16': 'UNAUTHENTICATED',
};

/** `http.flavor` values → `network.protocol.version` values. */
export const httpFlavors: Readonly<Record<string, string>> = {
  '1.0': '1.0',
  '1.1': '1.1',
  '2.0': '2',
  'HTTP/1.0': '1.0',
  'HTTP/1.1': '1.1',
  'HTTP/2': '2',
  SPDY: 'SPDY',
  QUIC: '3',
};

/** `net.transport` values → `network.transport` values; others are the same under both. */
export const netTransports: Readonly<Record<string, string>> = {
  ip_tcp: 'tcp',
  ip_udp: 'udp',
};
