import { SpanBatch, SpanKind, StatusCode, toPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { decodeSegment } from './decode-segment.ts';
import { encodeSegments } from './encode-segments.ts';
import { attributesOf, decodedBatch, decodedSpans, documentBytes, minimal } from './test/documents.ts';

function failureOf(document: unknown): WireError {
  const batch = decodedBatch(minimal());
  const before = toPlain(batch);
  try {
    decodeSegment(documentBytes(document), batch);
  } catch (caught) {
    if (!(caught instanceof WireError)) throw caught;
    expect(toPlain(batch)).toEqual(before);
    return caught;
  }
  throw new Error('nothing was thrown');
}

describe('a document is refused, leaving the batch as it was, when', () => {
  it.each([
    ['it is no JSON', '{"name":', 'truncated'],
    ['something follows it', '{} {}', 'invalid_json'],
    ['it is not an object', '[]', 'wrong_json_type'],
    ['it has no name', minimal({ name: undefined }), 'missing_member'],
    ['it has no id', minimal({ id: null }), 'missing_member'],
    ['it has no trace id', minimal({ trace_id: undefined }), 'missing_member'],
    ['it has no start time', minimal({ start_time: undefined }), 'missing_member'],
    ['its name is no text', minimal({ name: 5 }), 'wrong_json_type'],
    ['its start time is text', minimal({ start_time: '1478293361.271' }), 'wrong_json_type'],
    ['its start time is before 1970', minimal({ start_time: -1 }), 'wrong_json_type'],
    ['its end time is after 2554', minimal({ end_time: 1e12 }), 'wrong_json_type'],
    ['its trace id has another form', minimal({ trace_id: '581cf771a006649127e371903a2de979' }), 'invalid_id'],
    ['its id is too short', minimal({ id: '70de5b6f' }), 'invalid_id'],
    ['its parent id is not hexadecimal', minimal({ parent_id: 'xyz45b6f19ff9a0a' }), 'invalid_id'],
    ['a subsegment has no id', minimal({ subsegments: [{ name: 'a', start_time: 1 }] }), 'missing_member'],
    ['its subsegments are no list', minimal({ subsegments: {} }), 'wrong_json_type'],
    ['a subsegment is no object', minimal({ subsegments: [1] }), 'wrong_json_type'],
  ])('%s', (_, document, code) => {
    const error = failureOf(document);
    expect(error.code).toBe(code);
    expect(error.details['offset']).toBeTypeOf('number');
  });

  it('it nests deeper, or has more spans or children, than the limits say', () => {
    const deep = minimal({ metadata: { a: { b: { c: {} } } } });
    const many = minimal({ subsegments: [minimal({ id: '1111111111111111' })] });
    const codeOf = (run: () => unknown) => {
      try {
        run();
      } catch (caught) {
        return caught instanceof WireError ? [caught.code, caught.details['limit']] : caught;
      }
      return undefined;
    };
    const batch = new SpanBatch();
    expect(codeOf(() => decodeSegment(documentBytes(deep), batch, { maxDepth: 4 }))).toEqual(['too_deep', 'maxDepth']);
    expect(codeOf(() => decodeSegment(documentBytes(many), batch, { maxSpans: 1 }))).toEqual([
      'too_many_spans',
      'maxSpans',
    ]);
    const exceptions = minimal({ cause: { exceptions: [{}, {}] } });
    expect(codeOf(() => decodeSegment(documentBytes(exceptions), batch, { maxChildren: 3 }))).toEqual([
      'too_many_children',
      'maxChildren',
    ]);
    expect(decodeSegment(documentBytes(exceptions), batch, { maxChildren: 4, maxSpans: 1, maxDepth: 4 })).toBe(1);
    expect(batch.count).toBe(1);
  });
});

describe('times', () => {
  it('are exact to the nanosecond, which a double is not', () => {
    const bytes = documentBytes(
      JSON.stringify(minimal())
        .replace('1478293361.271', '1478293361.123456789')
        .replace('1478293361.449', '1.478293361449E9'),
    );
    expect(decodedSpans(bytes)[0]).toMatchObject({
      startUnixNano: 1478293361_123456789n,
      endUnixNano: 1478293361_449000000n,
    });
  });

  it('of a segment in progress have no end, and the complete document that follows is a span of its own', () => {
    const [begun, complete] = decodedSpans(minimal({ end_time: undefined, in_progress: true }), minimal());
    expect(begun).toMatchObject({ endUnixNano: 0n, spanId: complete!.spanId });
    expect(attributesOf(begun!.attributes)).toEqual({ 'aws.xray.inprogress': true });
    expect(complete).toMatchObject({ endUnixNano: 1478293361_449000000n, attributes: [] });
  });
});

describe('kinds and parents', () => {
  const child = (more: object) => ({ name: 'c', id: '1111111111111111', start_time: 1, ...more });

  it('make a segment a server span, with or without a parent', () => {
    expect(decodedSpans(minimal())[0]).toMatchObject({ kind: SpanKind.SERVER, parentSpanId: '' });
    expect(decodedSpans(minimal({ parent_id: '53995c3f42cd8ad8' }))[0]).toMatchObject({
      kind: SpanKind.SERVER,
      parentSpanId: '53995c3f42cd8ad8',
      traceId: '581cf771a006649127e371903a2de979',
    });
  });

  it('make a subsegment sent on its own a client span when it has a namespace, else an internal one', () => {
    const own = { parent_id: '53995c3f42cd8ad8', type: 'subsegment' };
    expect(decodedSpans(minimal(own))[0]!.kind).toBe(SpanKind.INTERNAL);
    expect(decodedSpans(minimal({ ...own, namespace: 'aws' }))[0]!.kind).toBe(SpanKind.CLIENT);
    expect(decodedSpans(minimal({ type: 'subsegment' }))[0]!.kind).toBe(SpanKind.SERVER);
  });

  it('make embedded subsegments children of what they are in, at any depth, in order', () => {
    const subsegments = [
      child({ namespace: 'remote', subsegments: [child({ id: '2222222222222222' })] }),
      child({ id: '3333333333333333', trace_id: '1-00000001-000000000000000000000001' }),
    ];
    const spans = decodedSpans(minimal({ subsegments }));
    expect(spans.map(({ spanId, parentSpanId, kind }) => [spanId, parentSpanId, kind])).toEqual([
      ['70de5b6f19ff9a0a', '', SpanKind.SERVER],
      ['1111111111111111', '70de5b6f19ff9a0a', SpanKind.CLIENT],
      ['2222222222222222', '1111111111111111', SpanKind.INTERNAL],
      ['3333333333333333', '70de5b6f19ff9a0a', SpanKind.INTERNAL],
    ]);
    expect(spans[2]!.traceId).toBe(spans[0]!.traceId);
    expect(spans[3]!.traceId).toBe('00000001000000000000000000000001');
    expect(new Set(spans.map(({ resource }) => resource)).size).toBe(1);
  });
});

describe('an HTTP server on EC2', () => {
  const document = minimal({
    origin: 'AWS::EC2::Instance',
    service: { version: '1.4.2', runtime: 'node', runtime_version: 'v18.1.0' },
    aws: {
      account_id: '123456789012',
      ec2: {
        instance_id: 'i-0b5a4678fc325bg98',
        availability_zone: 'us-west-2c',
        instance_size: 'm5.large',
        ami_id: 'ami-1',
      },
      xray: { sdk: 'X-Ray for Node.js', sdk_version: '3.5.0', package: 'aws-xray-sdk' },
      cloudwatch_logs: [{ log_group: '/app', arn: 'arn:aws:logs:us-west-2:1:log-group:/app' }],
    },
    http: {
      request: {
        method: 'POST',
        client_ip: '78.255.233.48',
        url: 'https://shop.example/api/users?page=2',
        user_agent: 'Mozilla/5.0',
        x_forwarded_for: true,
      },
      response: { status: 404, content_length: 86 },
    },
    error: true,
    user: 'alice',
    annotations: { customer_category: 124, zip_code: 98101.0, country: 'United States', internal: false, big: 0 },
    metadata: { debug: { test: 'Metadata string', list: [1, 2.5, null] }, default: {} },
  });
  // 98101.0 and an integer beyond a double's 53 bits cannot be written by JSON.stringify.
  const bytes = documentBytes(
    JSON.stringify(document).replace('98101', '98101.0').replace('"big":0', '"big":9007199254740993'),
  );
  const [span] = decodedSpans(bytes);

  it('becomes a resource of AWS', () => {
    expect(attributesOf(span!.resource.attributes)).toMatchObject({
      'service.name': 'shop',
      'service.version': '1.4.2',
      'process.runtime.name': 'node',
      'process.runtime.version': 'v18.1.0',
      'cloud.provider': 'aws',
      'cloud.platform': 'aws_ec2',
      'cloud.account.id': '123456789012',
      'cloud.availability_zone': 'us-west-2c',
      'host.id': 'i-0b5a4678fc325bg98',
      'host.type': 'm5.large',
      'host.image.id': 'ami-1',
      'telemetry.sdk.name': 'X-Ray for Node.js',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': '3.5.0',
      'aws.log.group.names': ['/app'],
      'aws.log.group.arns': ['arn:aws:logs:us-west-2:1:log-group:/app'],
      'aws.xray.origin': 'AWS::EC2::Instance',
    });
  });

  it('becomes a span with the current HTTP conventions, its flags and its annotations with their types', () => {
    expect(span).toMatchObject({ name: 'shop', statusCode: StatusCode.ERROR, statusMessage: '' });
    expect(attributesOf(span!.attributes)).toEqual({
      'http.request.method': 'POST',
      'url.full': 'https://shop.example/api/users?page=2',
      'user_agent.original': 'Mozilla/5.0',
      'client.address': '78.255.233.48',
      'aws.xray.x_forwarded_for': true,
      'http.response.status_code': 404n,
      'http.response.body.size': 86n,
      'aws.xray.error': true,
      'enduser.id': 'alice',
      'aws.account_id': '123456789012',
      'aws.xray.annotations': ['customer_category', 'zip_code', 'country', 'internal', 'big'],
      customer_category: 124n,
      zip_code: 98101,
      country: 'United States',
      internal: false,
      big: 9007199254740993n,
      'aws.xray.metadata.debug': '{"test":"Metadata string","list":[1,2.5,null]}',
      'aws.xray.metadata.default': '{}',
      'clew.carrier.xray.rest': '{"aws":{"xray":{"package":"aws-xray-sdk"}}}',
    });
  });

  it('is written as it came, digit for digit', () => {
    const again = new TextDecoder().decode(encodeSegments(decodedBatch(bytes))[0]);
    expect(JSON.parse(again)).toEqual(JSON.parse(new TextDecoder().decode(bytes)));
    expect(again).toContain('"zip_code":98101.0');
    expect(again).toContain('"big":9007199254740993');
    expect(again).toContain('"start_time":1478293361.271,');
  });
});

describe('platforms', () => {
  const resourceOf = (more: object) => attributesOf(decodedSpans(minimal(more))[0]!.resource.attributes);

  it('of containers and clusters are told apart by origin, which is kept', () => {
    expect(
      resourceOf({
        origin: 'AWS::ECS::Fargate',
        aws: { ecs: { container: 'web', container_id: 'c1', task_arn: 't', launch_type: 'fargate' } },
      }),
    ).toMatchObject({
      'cloud.platform': 'aws_ecs',
      'aws.xray.origin': 'AWS::ECS::Fargate',
      'container.name': 'web',
      'container.id': 'c1',
      'aws.ecs.task.arn': 't',
      'aws.ecs.launchtype': 'fargate',
    });
    expect(
      resourceOf({ origin: 'AWS::EKS::Container', aws: { eks: { cluster_name: 'k', pod: 'p', container_id: 'c2' } } }),
    ).toMatchObject({
      'cloud.platform': 'aws_eks',
      'k8s.cluster.name': 'k',
      'k8s.pod.name': 'p',
      'container.id': 'c2',
    });
    expect(
      resourceOf({
        origin: 'AWS::ElasticBeanstalk::Environment',
        aws: { elastic_beanstalk: { environment_name: 'prod', version_label: 'v7', deployment_id: 32 } },
      }),
    ).toMatchObject({ 'service.namespace': 'prod', 'service.version': 'v7', 'service.instance.id': 32n });
  });

  it('that no document names are none: no provider without AWS members', () => {
    expect(resourceOf({})).toEqual({ 'service.name': 'shop' });
    expect(resourceOf({ origin: 'Elsewhere' })).not.toHaveProperty('cloud.provider');
  });

  it('that give one attribute twice keep both values', () => {
    const document = minimal({
      aws: {
        ecs: { container_id: 'first', availability_zone: 'a' },
        eks: { container_id: 'second' },
        ec2: { availability_zone: 'b' },
      },
    });
    expect(attributesOf(decodedSpans(document)[0]!.resource.attributes)).toMatchObject({
      'container.id': 'first',
      'cloud.availability_zone': 'a',
    });
    const [again] = encodeSegments(decodedBatch(document));
    expect(JSON.parse(new TextDecoder().decode(again))).toEqual(document);
  });
});

describe('a Lambda function with what it called', () => {
  const [handler, dynamo, query] = decodedSpans(
    minimal({
      name: 'orders',
      origin: 'AWS::Lambda::Function',
      resource_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:orders',
      aws: { function_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:orders' },
      subsegments: [
        {
          id: '1111111111111111',
          name: 'DynamoDB',
          start_time: 1478293361.3,
          end_time: 1478293361.4,
          namespace: 'aws',
          aws: {
            operation: 'BatchGetItem',
            region: 'eu-west-1',
            request_id: '3AIENM5J4ELQ3SPODHKBIRVIC3VV4KQNSO5AEMVJF66Q9ASUAAJG',
            table_names: ['orders', 'items'],
            retries: 1,
            bucket_name: 'b',
          },
          http: { response: { status: 200, content_length: 60 } },
        },
        {
          id: '2222222222222222',
          name: 'ebdb@aawijb5u25wdoy.cpamxznpdoq8.us-west-2.rds.amazonaws.com',
          start_time: 1478293361.3,
          namespace: 'remote',
          precursor_ids: ['1111111111111111'],
          traced: false,
          sql: {
            url: 'jdbc:postgresql://aawijb5u25wdoy.cpamxznpdoq8.us-west-2.rds.amazonaws.com:5432/ebdb',
            preparation: 'statement',
            database_type: 'PostgreSQL',
            database_version: '9.5.4',
            driver_version: 'PostgreSQL 9.4.1211.jre7',
            user: 'dbuser',
            sanitized_query: 'SELECT * FROM customers WHERE customer_id=?;',
          },
        },
      ],
    }),
  );

  it('has the platform and its ARN on the resource', () => {
    expect(attributesOf(handler!.resource.attributes)).toMatchObject({
      'cloud.platform': 'aws_lambda',
      'aws.xray.resource_arn': 'arn:aws:lambda:eu-west-1:123456789012:function:orders',
    });
    expect(attributesOf(handler!.attributes)).toEqual({
      'aws.function_arn': 'arn:aws:lambda:eu-west-1:123456789012:function:orders',
    });
  });

  it('has what an AWS call says as attributes, those nobody listed too', () => {
    expect(dynamo!.kind).toBe(SpanKind.CLIENT);
    expect(attributesOf(dynamo!.attributes)).toEqual({
      'aws.xray.namespace': 'aws',
      'aws.operation': 'BatchGetItem',
      'aws.region': 'eu-west-1',
      'aws.request_id': '3AIENM5J4ELQ3SPODHKBIRVIC3VV4KQNSO5AEMVJF66Q9ASUAAJG',
      'aws.dynamodb.table_names': ['orders', 'items'],
      'aws.xray.retries': 1n,
      'aws.bucket_name': 'b',
      'http.response.status_code': 200n,
      'http.response.body.size': 60n,
    });
  });

  it('has the database an SQL query went to', () => {
    expect(attributesOf(query!.attributes)).toEqual({
      'aws.xray.namespace': 'remote',
      'aws.xray.precursor_ids': ['1111111111111111'],
      'aws.xray.traced': false,
      'db.connection_string': 'jdbc:postgresql://aawijb5u25wdoy.cpamxznpdoq8.us-west-2.rds.amazonaws.com:5432',
      'db.namespace': 'ebdb',
      'db.system.name': 'PostgreSQL',
      'db.query.text': 'SELECT * FROM customers WHERE customer_id=?;',
      'db.user': 'dbuser',
      'aws.xray.sql.database_version': '9.5.4',
      'aws.xray.sql.driver_version': 'PostgreSQL 9.4.1211.jre7',
      'aws.xray.sql.preparation': 'statement',
    });
  });
});

describe('links of a consumer of SQS', () => {
  it('are the span’s links', () => {
    const [span] = decodedSpans(
      minimal({
        aws: { queue_url: 'https://sqs.eu-west-1.amazonaws.com/1/orders' },
        links: [
          {
            trace_id: '1-5759e988-bd862e3fe1be46a994272793',
            id: '53995c3f42cd8ad8',
            attributes: { 'aws.sqs.message': 'm-1', n: 2 },
            note: 'x',
          },
        ],
      }),
    );
    expect(attributesOf(span!.attributes)).toEqual({ 'aws.queue_url': 'https://sqs.eu-west-1.amazonaws.com/1/orders' });
    expect(span!.links).toMatchObject([{ traceId: '5759e988bd862e3fe1be46a994272793', spanId: '53995c3f42cd8ad8' }]);
    expect(attributesOf(span!.links[0]!.attributes)).toEqual({
      'aws.sqs.message': 'm-1',
      n: 2n,
      'clew.carrier.xray.rest': '{"note":"x"}',
    });
  });

  it('that are none stay beside the span', () => {
    const [span] = decodedSpans(minimal({ links: [{ trace_id: 'x', id: 'y' }] }));
    expect(span!.links).toEqual([]);
    expect(attributesOf(span!.attributes)).toEqual({
      'clew.carrier.xray.rest': '{"links":[{"trace_id":"x","id":"y"}]}',
    });
  });
});

describe('what went wrong', () => {
  it('is an error by flag, by HTTP status from 400 on, and by cause', () => {
    const codeOf = (more: object) => decodedSpans(minimal(more))[0]!.statusCode;
    expect(codeOf({ fault: true })).toBe(StatusCode.ERROR);
    expect(codeOf({ throttle: true })).toBe(StatusCode.ERROR);
    expect(codeOf({ http: { response: { status: 400 } } })).toBe(StatusCode.ERROR);
    expect(codeOf({ cause: '70de5b6f19ff9a0c' })).toBe(StatusCode.ERROR);
    expect(codeOf({ cause: { exceptions: [{}] } })).toBe(StatusCode.ERROR);
    expect(codeOf({ fault: false, error: false, http: { response: { status: 399 } }, cause: {} })).toBe(
      StatusCode.UNSET,
    );
  });

  it('is the id of an exception elsewhere as status message', () => {
    expect(decodedSpans(minimal({ cause: '70de5b6f19ff9a0c' }))[0]).toMatchObject({
      statusMessage: '70de5b6f19ff9a0c',
      attributes: [],
    });
  });

  it('is a chain of exceptions as events at the end of the span, with their stacks', () => {
    const [span] = decodedSpans(
      minimal({
        fault: true,
        cause: {
          working_directory: '/srv',
          paths: ['/srv/lib'],
          exceptions: [
            {
              id: 'aaaaaaaaaaaaaaaa',
              type: 'java.lang.IllegalStateException',
              message: 'no stock',
              remote: false,
              truncated: 3,
              skipped: 1,
              cause: 'bbbbbbbbbbbbbbbb',
              stack: [
                { path: 'Shop.java', line: 42, label: 'com.shop.Shop.buy' },
                { path: 'Main.java', line: 7, label: 'com.shop.Main.main' },
              ],
            },
            { id: 'bbbbbbbbbbbbbbbb', type: 'IOException', stack: [{ path: 'native', label: 'read' }, { line: 5 }] },
          ],
        },
      }),
    );
    expect(attributesOf(span!.attributes)).toEqual({
      'aws.xray.fault': true,
      'aws.xray.cause.working_directory': '/srv',
      'aws.xray.cause.paths': ['/srv/lib'],
    });
    expect(span!.events.map(({ name, timeUnixNano }) => [name, timeUnixNano])).toEqual([
      ['exception', 1478293361_449000000n],
      ['exception', 1478293361_449000000n],
    ]);
    expect(attributesOf(span!.events[0]!.attributes)).toEqual({
      'aws.xray.exception.id': 'aaaaaaaaaaaaaaaa',
      'exception.type': 'java.lang.IllegalStateException',
      'exception.message': 'no stock',
      'aws.xray.exception.remote': false,
      'aws.xray.exception.truncated': 3n,
      'aws.xray.exception.skipped': 1n,
      'aws.xray.exception.cause': 'bbbbbbbbbbbbbbbb',
      'exception.stacktrace':
        'java.lang.IllegalStateException: no stock\n\tat com.shop.Shop.buy(Shop.java:42)\n\tat com.shop.Main.main(Main.java:7)',
    });
    // The text alone would not tell that the second frame has no path.
    expect(attributesOf(span!.events[1]!.attributes)).toMatchObject({
      'exception.stacktrace': 'IOException\n\tat read(native)\n\tat (:5)',
      'clew.carrier.xray.stack': '[{"path":"native","label":"read"},{"line":5}]',
    });
  });
});

describe('members nobody knows', () => {
  it('and values of types no attribute has are kept beside the span', () => {
    const [span] = decodedSpans(
      minimal({
        http: { request: { method: { odd: 1 } } },
        novelty: [{ a: 1 }],
        annotations: { ok: 1, odd: { b: 2 } },
      }),
    );
    expect(attributesOf(span!.attributes)).toEqual({
      'aws.xray.annotations': ['ok'],
      ok: 1n,
      'clew.carrier.xray.rest':
        '{"annotations":{"odd":{"b":2}},"http":{"request":{"method":{"odd":1}}},"novelty":[{"a":1}]}',
    });
  });
});
