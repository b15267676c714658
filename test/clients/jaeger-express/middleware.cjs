// One server span per request, continued from the caller's headers and ended with the response.
const { FORMAT_HTTP_HEADERS, Tags } = require('opentracing');

function tracingMiddleware(tracer) {
  return (request, response, next) => {
    const caller = tracer.extract(FORMAT_HTTP_HEADERS, request.headers);
    const span = tracer.startSpan(request.path, {
      childOf: caller,
      tags: {
        [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_SERVER,
        [Tags.HTTP_METHOD]: request.method,
        [Tags.HTTP_URL]: request.url,
      },
    });
    request.span = span;
    response.on('finish', () => {
      span.setTag(Tags.HTTP_STATUS_CODE, response.statusCode);
      span.finish();
    });
    next();
  };
}

module.exports = { tracingMiddleware };
