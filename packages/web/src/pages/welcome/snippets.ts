/** Addresses the snippets are filled with; undefined where nothing listens for that protocol. */
export interface SnippetAddresses {
  readonly otlpHttp: string | undefined;
  readonly otlpGrpc: string | undefined;
  readonly jaegerHttp: string | undefined;
  readonly jaegerUdpHostPort: string | undefined;
  readonly zipkin: string | undefined;
}

/** A way to send, as text to paste. */
export interface Snippet {
  readonly id: string;
  readonly title: string;
  /** One sentence before the text. */
  readonly intro: string;
  readonly code: string;
}

/** Snippets in the order of their tabs, with real addresses; those whose receiver is off say so in their intro. */
export function snippetsFor(addresses: SnippetAddresses): readonly Snippet[] {
  const http = addresses.otlpHttp ?? 'http://localhost:4318';
  const grpc = addresses.otlpGrpc ?? 'http://localhost:4317';
  return [
    node(http),
    python(http),
    go(http),
    java(http),
    dotnet(http),
    curl(http),
    collector(grpc),
    jaeger(addresses.jaegerHttp, addresses.jaegerUdpHostPort),
    zipkin(addresses.zipkin),
  ];
}

function environment(http: string): string {
  return `OTEL_SERVICE_NAME=my-app OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none \\
OTEL_EXPORTER_OTLP_ENDPOINT=${http} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \\`;
}

function node(http: string): Snippet {
  return {
    id: 'node',
    title: 'Node.js',
    intro: 'No change to the program: the instrumentation is loaded before it.',
    code: `npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node

${environment(http)}
node --require @opentelemetry/auto-instrumentations-node/register app.js`,
  };
}

function python(http: string): Snippet {
  return {
    id: 'python',
    title: 'Python',
    intro: 'Works for Flask, Django, FastAPI, requests, SQLAlchemy and many more.',
    code: `pip install opentelemetry-distro opentelemetry-exporter-otlp
opentelemetry-bootstrap -a install

${environment(http)}
opentelemetry-instrument python app.py`,
  };
}

function go(http: string): Snippet {
  return {
    id: 'go',
    title: 'Go',
    intro: `Set OTEL_EXPORTER_OTLP_ENDPOINT=${http} and OTEL_SERVICE_NAME=my-app, then in main:`,
    code: `ctx := context.Background()
exp, err := otlptracehttp.New(ctx) // reads OTEL_EXPORTER_OTLP_ENDPOINT
if err != nil {
	log.Fatal(err)
}
tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exp))
defer tp.Shutdown(ctx)
otel.SetTracerProvider(tp)
otel.SetTextMapPropagator(propagation.TraceContext{})

log.Fatal(http.ListenAndServe(":8080", otelhttp.NewHandler(mux, "my-app")))`,
  };
}

function java(http: string): Snippet {
  return {
    id: 'java',
    title: 'Java',
    intro: 'The agent instruments Spring, servlets, JDBC, Kafka and more at start.',
    code: `curl -LO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar

${environment(http)}
java -javaagent:opentelemetry-javaagent.jar -jar app.jar`,
  };
}

function dotnet(http: string): Snippet {
  return {
    id: 'dotnet',
    title: '.NET',
    intro: `Set OTEL_EXPORTER_OTLP_ENDPOINT=${http} and OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, then:`,
    code: `dotnet add package OpenTelemetry.Extensions.Hosting
dotnet add package OpenTelemetry.Instrumentation.AspNetCore
dotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol

// Program.cs
builder.Services.AddOpenTelemetry()
    .ConfigureResource(r => r.AddService("my-app"))
    .WithTracing(t => t
        .AddAspNetCoreInstrumentation()
        .AddOtlpExporter());`,
  };
}

function curl(http: string): Snippet {
  return {
    id: 'curl',
    title: 'curl',
    intro: 'No SDK at all: one span by hand, which proves that the way here is open.',
    code: `T=$(openssl rand -hex 16); S=$(openssl rand -hex 8); N=$(date +%s)
curl -sS ${http}/v1/traces -H 'content-type: application/json' -d '{"resourceSpans":[{"resource":{"attributes":
[{"key":"service.name","value":{"stringValue":"hello-clew"}}]},"scopeSpans":[{"spans":[{"traceId":"'$T'","spanId":"'$S'",
"name":"GET /hello","kind":2,"startTimeUnixNano":"'$N'000000000","endTimeUnixNano":"'$N'250000000"}]}]}]}'`,
  };
}

function collector(grpc: string): Snippet {
  return {
    id: 'collector',
    title: 'Collector',
    intro: 'In the configuration of an OpenTelemetry Collector you already run:',
    code: `exporters:
  otlp/clew:
    endpoint: ${grpc.replace(/^https?:\/\//, '')}
    tls:
      insecure: true

service:
  pipelines:
    traces:
      exporters: [otlp/clew]   # beside the ones that are there`,
  };
}

function jaeger(http: string | undefined, udp: string | undefined): Snippet {
  const off = http === undefined && udp === undefined;
  const [host = 'localhost', port = '6831'] = (udp ?? 'localhost:6831').split(/:(?=\d+$)/);
  return {
    id: 'jaeger',
    title: 'Jaeger client',
    intro: off
      ? 'The Jaeger receiver is off in this configuration; with it on, clients need:'
      : 'Point a Jaeger client here; nothing else changes.',
    code: `# clients that send over HTTP
export JAEGER_ENDPOINT=${http ?? 'http://localhost:14268'}/api/traces

# clients that send to an agent over UDP
export JAEGER_AGENT_HOST=${host}
export JAEGER_AGENT_PORT=${port}

export JAEGER_SERVICE_NAME=my-app
export JAEGER_SAMPLER_TYPE=const JAEGER_SAMPLER_PARAM=1`,
  };
}

function zipkin(url: string | undefined): Snippet {
  return {
    id: 'zipkin',
    title: 'Zipkin client',
    intro:
      url === undefined
        ? 'The Zipkin receiver is off in this configuration; with it on:'
        : 'Any reporter of spans version 1 or 2, JSON, Thrift or protobuf.',
    code: `export OTEL_TRACES_EXPORTER=zipkin
export OTEL_EXPORTER_ZIPKIN_ENDPOINT=${url ?? 'http://localhost:9411'}/api/v2/spans

# Spring Boot
management.zipkin.tracing.endpoint=${url ?? 'http://localhost:9411'}/api/v2/spans`,
  };
}
