import { SpanKind, StatusCode, fromPlain, keyValues, plainSpan, unixNano } from '@clew/model';
import type { PlainSpanInput } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { encodedDocuments } from './test/documents.ts';
import { base, client, documentOf, documentsOf, exceptionEvent, noLink, server } from './test/spans.ts';
import type { Attributes } from './test/spans.ts';

describe('a span of another format', () => {
  it('is a segment when it serves, or has no parent, and a subsegment when it does not serve and has one', () => {
    expect(documentOf(server({}))).toEqual({
      name: 'GET /users',
      id: '70de5b6f19ff9a0a',
      trace_id: '1-581cf771-a006649127e371903a2de979',
      start_time: 1478293361.271,
      end_time: 1478293361.449,
      aws: { xray: { auto_instrumentation: false } },
    });
    expect(documentOf(server({}, { parentSpanId: '1' }))).toMatchObject({ parent_id: '0000000000000001' });
    expect(documentOf(server({}, { parentSpanId: '1' }))).not.toHaveProperty('type');
    expect(documentOf(client({}))).toMatchObject({ type: 'subsegment', parent_id: '53995c3f42cd8ad8' });
    expect(documentOf({ kind: SpanKind.INTERNAL })).not.toHaveProperty('type');
  });

  it('is in progress when it has no end', () => {
    const document = documentOf({ endUnixNano: 0n });
    expect(document['in_progress']).toBe(true);
    expect(document).not.toHaveProperty('end_time');
  });

  it('gets an id when it has none', () => {
    const [span] = [plainSpan(base)];
    const [document] = encodedDocuments(fromPlain([{ ...span!, spanId: '' }]));
    expect(document!['id']).toMatch(/^[0-9a-f]{16}$/);
    expect(document!['id']).not.toBe('0000000000000000');
  });

  it.each<[string, Partial<PlainSpanInput>, Attributes, string]>([
    ['the local service', server({ 'aws.local.service': 'local', 'peer.service': 'p' }), {}, 'local'],
    ['the remote service', client({ 'aws.remote.service': 'AWS::SQS', 'peer.service': 'p' }), {}, 'AWS::SQS'],
    [
      'the remote service without an SDK’s prefix',
      client({ 'aws.remote.service': 'AWS.SDK.DynamoDB', 'rpc.system': 'aws-api' }),
      {},
      'DynamoDB',
    ],
    ['the peer service', client({ 'peer.service': 'p', 'aws.service': 'S3' }), {}, 'p'],
    ['the AWS service', client({ 'aws.service': 'S3' }), {}, 'S3'],
    [
      'the database and its host',
      client({ 'db.name': 'orders', 'db.connection_string': 'jdbc:mysql://db.example:3306' }),
      {},
      'orders@db.example',
    ],
    ['the database and its server', client({ 'db.namespace': 'o', 'server.address': 'db' }), {}, 'o@db'],
    ['the service of what serves', server({ 'rpc.service': 'r' }), { 'service.name': 'shop' }, 'shop'],
    ['the RPC service', client({ 'rpc.service': 'r', 'http.host': 'h' }), { 'service.name': 'shop' }, 'r'],
    ['the HTTP host', client({ 'http.host': 'h', 'net.peer.name': 'n' }), {}, 'h'],
    ['the peer’s name', client({ 'net.peer.name': 'n' }), {}, 'n'],
    ['its own name cleaned', client({}, { name: 'a*b (c) $é/_.:%&#=+,-@ {x}' }), {}, 'ab c é/_.:%&#=+,-@ x'],
    ['at most 200 characters', client({}, { name: 'n'.repeat(300) }), {}, 'n'.repeat(200)],
    ['span when nothing is left', client({}, { name: '{}' }), {}, 'span'],
  ])('is called %s', (_, span, resource, name) => {
    expect(documentOf(span, resource)['name']).toBe(name);
  });

  it('has the namespace of what it calls', () => {
    const namespaceOf = (attributes: Attributes, more: Partial<PlainSpanInput> = {}) =>
      documentOf(client(attributes, more))['namespace'];
    expect(namespaceOf({ 'rpc.system': 'aws-api' })).toBe('aws');
    expect(namespaceOf({ 'aws.service': 'S3' })).toBe('aws');
    expect(namespaceOf({ 'peer.service': 'p' })).toBe('remote');
    expect(namespaceOf({ 'aws.remote.service': 'q' }, { kind: SpanKind.PRODUCER })).toBe('remote');
    expect(namespaceOf({})).toBeUndefined();
    expect(namespaceOf({ 'peer.service': 'p' }, { kind: SpanKind.INTERNAL })).toBeUndefined();
  });

  it('has its HTTP request and response from either conventions', () => {
    const http = {
      request: { method: 'GET', url: 'https://a.example/x?y=1', user_agent: 'ua' },
      response: { status: 200, content_length: 7 },
    };
    const current = documentOf(
      client({
        'http.request.method': 'GET',
        'url.full': 'https://a.example/x?y=1',
        'user_agent.original': 'ua',
        'http.response.status_code': 200n,
        'http.response.body.size': 7n,
      }),
    );
    const older = documentOf(
      client({
        'http.method': 'GET',
        'http.scheme': 'https',
        'net.peer.name': 'a.example',
        'net.peer.port': 443n,
        'http.target': '/x?y=1',
        'http.user_agent': 'ua',
        'http.status_code': 200,
        'http.response_content_length': 7n,
      }),
    );
    expect(current['http']).toEqual(http);
    expect(older['http']).toEqual(http);
    expect(current).not.toHaveProperty('metadata');
    expect(documentOf(client({ 'url.full': 'x' }))).not.toHaveProperty('http');
  });

  it('has a URL put together on the server’s side, and the client’s address', () => {
    const parts = { 'http.request.method': 'GET', 'url.scheme': 'http', 'url.path': '/a', 'url.query': 'b=c' };
    const request = (attributes: Attributes) =>
      (documentOf(server(attributes))['http'] as { request: unknown }).request;
    expect(
      request({
        ...parts,
        'server.address': 'shop',
        'server.port': 8080n,
        'client.address': '1.1.1.1',
        'network.peer.address': '2.2.2.2',
      }),
    ).toEqual({ method: 'GET', url: 'http://shop:8080/a?b=c', client_ip: '1.1.1.1', x_forwarded_for: true });
    expect(request({ ...parts, 'http.host': 'shop:80', 'net.peer.ip': '2.2.2.2' })).toEqual({
      method: 'GET',
      url: 'http://shop/a?b=c',
      client_ip: '2.2.2.2',
    });
    expect(request({ 'http.method': 'GET', 'http.client_ip': '1.1.1.1', 'http.target': '/x' })).toEqual({
      method: 'GET',
      client_ip: '1.1.1.1',
      x_forwarded_for: true,
    });
  });

  it('has flags by its HTTP status, else by its own', () => {
    const flags = (status: bigint | undefined, statusCode: number = StatusCode.UNSET) => {
      const attributes: Attributes = status === undefined ? {} : { 'http.response.status_code': status };
      const { error, fault, throttle } = documentOf(client(attributes, { statusCode }));
      return { error, fault, throttle };
    };
    expect(flags(404n)).toEqual({ error: true });
    expect(flags(429n)).toEqual({ error: true, throttle: true });
    expect(flags(503n)).toEqual({ fault: true });
    expect(flags(200n)).toEqual({});
    expect(flags(200n, StatusCode.ERROR)).toEqual({ fault: true });
    expect(flags(404n, StatusCode.ERROR)).toEqual({ error: true });
    expect(flags(undefined, StatusCode.ERROR)).toEqual({ fault: true });
  });

  it('has its exceptions with their causes, each naming the next', () => {
    const stacktrace = 'A: a\n\tat x.Y.z(Y.java:1)\nCaused by: B: b\n\tat x.W.v(W.java:2)\nCaused by: C: c';
    const span = client(
      {},
      {
        events: [
          exceptionEvent({ 'exception.type': 'A', 'exception.message': 'a', 'exception.stacktrace': stacktrace }),
          { timeUnixNano: unixNano(1n), name: 'other', attributes: [], droppedAttributes: 0 },
        ],
      },
    );
    const { exceptions } = documentOf(span, { 'telemetry.sdk.language': 'java' })['cause'] as {
      exceptions: Record<string, unknown>[];
    };
    expect(exceptions).toMatchObject([
      { type: 'A', message: 'a', remote: true, stack: [{ path: 'Y.java', line: 1, label: 'x.Y.z' }] },
      { type: 'B', message: 'b', remote: true, stack: [{ path: 'W.java', line: 2, label: 'x.W.v' }] },
      { type: 'C', message: 'c', remote: true },
    ]);
    expect(exceptions.map(({ cause }) => cause)).toEqual([exceptions[1]!['id'], exceptions[2]!['id'], undefined]);
    expect(new Set(exceptions.map(({ id }) => id)).size).toBe(3);
  });

  it('has its status message as an exception when there is none', () => {
    const failed = { statusCode: StatusCode.ERROR, statusMessage: 'no stock' };
    expect(documentOf(failed)['cause']).toMatchObject({ exceptions: [{ message: 'no stock' }] });
    expect(documentOf({ ...failed, statusCode: StatusCode.OK })).not.toHaveProperty('cause');
  });

  it('has its SQL query, and keeps other databases’ attributes as metadata', () => {
    const query = {
      'db.system': 'postgresql',
      'db.connection_string': 'postgresql://db:5432',
      'db.name': 'orders',
      'db.user': 'u',
      'db.statement': 'SELECT 1',
    };
    expect(documentOf(client(query))['sql']).toEqual({
      url: 'postgresql://db:5432/orders',
      database_type: 'postgresql',
      user: 'u',
      sanitized_query: 'SELECT 1',
    });
    const redis = documentOf(client({ 'db.system.name': 'redis', 'db.query.text': 'GET k' }));
    expect(redis).not.toHaveProperty('sql');
    expect(redis['metadata']).toEqual({ default: { 'db.system.name': 'redis', 'db.query.text': 'GET k' } });
  });

  it('has what it calls at AWS', () => {
    const document = documentOf(
      client({
        'rpc.system': 'aws-api',
        'rpc.method': 'Query',
        'aws.account_id': '42',
        'aws.region': 'eu-west-1',
        'aws.requestId': 'r',
        'aws.queue.url': 'q',
        'aws.dynamodb.table_names': ['one'],
      }),
      { 'cloud.account.id': '1' },
    );
    expect(document['aws']).toEqual({
      account_id: '42',
      operation: 'Query',
      region: 'eu-west-1',
      request_id: 'r',
      queue_url: 'q',
      table_name: 'one',
      xray: { auto_instrumentation: false },
    });
    const two = documentOf(client({ 'aws.dynamodb.table_names': ['one', 'two'], 'messaging.url': 'm' }))['aws'];
    expect(two).toMatchObject({ table_names: ['one', 'two'], queue_url: 'm' });
  });

  it.each<[string, Attributes, object]>([
    [
      'EC2',
      { 'cloud.platform': 'aws_ec2', 'host.id': 'i', 'host.type': 't', 'host.image.id': 'a' },
      {
        origin: 'AWS::EC2::Instance',
        aws: { ec2: { instance_id: 'i', instance_size: 't', ami_id: 'a' } },
      },
    ],
    [
      'ECS',
      { 'cloud.platform': 'aws_ecs', 'container.name': 'c', 'aws.ecs.launchtype': 'fargate', 'aws.ecs.task.arn': 't' },
      { origin: 'AWS::ECS::Fargate', aws: { ecs: { container: 'c', task_arn: 't', launch_type: 'fargate' } } },
    ],
    [
      'EKS',
      { 'cloud.platform': 'aws_eks', 'k8s.cluster.name': 'k', 'k8s.pod.name': 'p', 'container.id': 'c' },
      { origin: 'AWS::EKS::Container', aws: { eks: { cluster_name: 'k', pod: 'p', container_id: 'c' } } },
    ],
    [
      'Elastic Beanstalk',
      {
        'cloud.platform': 'aws_elastic_beanstalk',
        'service.namespace': 'prod',
        'service.instance.id': '32',
        'service.version': 'v7',
      },
      {
        origin: 'AWS::ElasticBeanstalk::Environment',
        service: { version: 'v7' },
        aws: { elastic_beanstalk: { environment_name: 'prod', version_label: 'v7', deployment_id: 32 } },
      },
    ],
    ['App Runner', { 'cloud.platform': 'aws_app_runner' }, { origin: 'AWS::AppRunner::Service' }],
    ['ECS of unknown launch', { 'cloud.platform': 'aws_ecs' }, { origin: 'AWS::ECS::Container' }],
  ])('made on %s says so', (_, resource, wanted) => {
    expect(documentOf(server({}), { 'cloud.provider': 'aws', ...resource })).toMatchObject(wanted);
  });

  it('made elsewhere has nothing of AWS, and keeps its attributes', () => {
    const document = documentOf(server({ 'aws.region': 'r' }), { 'cloud.provider': 'gcp', 'host.id': 'h' });
    expect(document).not.toHaveProperty('aws');
    expect(document['metadata']).toEqual({
      default: { 'otel.resource.cloud.provider': 'gcp', 'otel.resource.host.id': 'h', 'aws.region': 'r' },
    });
  });

  it('names its SDK, its runtime and its log groups', () => {
    const resource = {
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.language': 'go',
      'telemetry.sdk.version': '1.2',
      'telemetry.distro.version': '3',
      'process.runtime.name': 'gc',
      'process.runtime.version': '1.22',
    };
    const document = documentOf(server({}), { ...resource, 'aws.log.group.names': 'a&b' });
    expect(document).toMatchObject({
      service: { compiler: 'gc', compiler_version: '1.22' },
      aws: {
        xray: { sdk: 'opentelemetry for go', sdk_version: '1.2', auto_instrumentation: true },
        cloudwatch_logs: [{ log_group: 'a' }, { log_group: 'b' }],
      },
    });
    const arn = 'arn:aws:logs:eu-west-1:1:log-group:/app:*';
    expect(documentOf(server({}), { 'aws.log.group.arns': [arn] })['aws']).toMatchObject({
      cloudwatch_logs: [{ log_group: '/app', arn }],
    });
    expect(documentOf(server({}), {}, { logGroupNames: ['c'] })['aws']).toMatchObject({
      cloudwatch_logs: [{ log_group: 'c' }],
    });
  });

  it('annotates what is indexed, and puts everything else into metadata', () => {
    const attributes = {
      'a b': 'x',
      'http.response.status_code': 200n,
      list: ['l'],
      plain: 1.5,
      annotated: true,
      bytes: Uint8Array.of(1, 2),
      'aws.xray.annotations': ['annotated'],
      'aws.xray.metadata.extra': '{"k":[1]}',
      'aws.xray.metadata.broken': '{',
      'enduser.id': 'alice',
      'clew.carrier.jaeger.flags': 1n,
    };
    const options = { indexedAttributes: ['a b', 'list', 'http.response.status_code', 'otel.resource.region'] };
    const document = documentOf(server(attributes), { region: 'r', 'service.name': 'shop' }, options);
    expect(document).toMatchObject({
      user: 'alice',
      annotations: {
        a_b: 'x',
        'http.response.status_code': 200,
        annotated: true,
        'otel.resource.region': 'r',
      },
      metadata: {
        default: {
          list: ['l'],
          plain: 1.5,
          bytes: 'AQI=',
          'aws.xray.metadata.broken': '{',
          'otel.resource.service.name': 'shop',
        },
        extra: { k: [1] },
      },
    });
    expect(JSON.stringify(document)).not.toContain('clew.carrier');
    const all = documentOf(client(attributes), { region: 'r' }, { indexAllAttributes: true });
    expect(all['annotations']).toMatchObject({ a_b: 'x', plain: 1.5, annotated: true });
    expect(all['annotations']).not.toHaveProperty('otel.resource.region');
  });

  it('has its links with their attributes', () => {
    const links = [{ ...noLink, attributes: keyValues({ a: 1n, 'clew.carrier.x': 'hidden' }) }];
    expect(documentOf({ links })['links']).toEqual([
      { trace_id: '1-5759e988-bd862e3fe1be46a994272793', id: '53995c3f42cd8ad8', attributes: { a: 1 } },
    ]);
  });
});

describe('a local root', () => {
  const attributes = {
    'aws.span.kind': 'LOCAL_ROOT',
    'aws.local.service': 'shop',
    'aws.remote.service': 'AWS::SQS',
    'aws.queue_url': 'q',
    'http.method': 'POST',
    own: 'x',
  };

  it('that calls something is a segment for the service and a subsegment for the call', () => {
    const span = client(attributes, { links: [noLink], parentSpanId: '53995c3f42cd8ad8' });
    const [dependency, service] = documentsOf(span, { region: 'r' });
    expect(dependency).toMatchObject({
      name: 'AWS::SQS',
      id: base.spanId,
      type: 'subsegment',
      namespace: 'remote',
      parent_id: service!['id'],
      http: { request: { method: 'POST' } },
      aws: { queue_url: 'q' },
      links: [{}],
      metadata: { default: { own: 'x' } },
    });
    expect(service).toMatchObject({
      name: 'shop',
      parent_id: '53995c3f42cd8ad8',
      metadata: { default: { 'otel.resource.region': 'r' } },
    });
    for (const member of ['type', 'namespace', 'http', 'links']) expect(service).not.toHaveProperty(member);
    expect(service!['aws']).toEqual({ xray: { auto_instrumentation: false } });
    expect((service!['metadata'] as { default: object }).default).not.toHaveProperty('own');
    // Sent again it is the same segment, not another.
    expect(documentsOf(span, { region: 'r' })[1]!['id']).toBe(service!['id']);
  });

  it('that consumes has its links on the service’s segment', () => {
    const [dependency, service] = documentsOf(client(attributes, { kind: SpanKind.CONSUMER, links: [noLink] }));
    expect(dependency).not.toHaveProperty('links');
    expect(service).toHaveProperty('links');
  });

  it('that calls nothing is a segment', () => {
    const document = documentOf({ kind: SpanKind.INTERNAL, parentSpanId: '1', attributes });
    expect(document).toMatchObject({ name: 'shop', parent_id: '0000000000000001' });
    expect(document).not.toHaveProperty('type');
  });
});
