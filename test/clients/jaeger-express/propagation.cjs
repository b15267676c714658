// A call to another service, made part of the trace by the headers that the tracer injects.
const axios = require('axios');
const { FORMAT_HTTP_HEADERS, Tags } = require('opentracing');

async function callDownstreamService(tracer, span, url, data) {
  const headers = {};
  tracer.inject(span, FORMAT_HTTP_HEADERS, headers);
  try {
    const response = await axios.post(url, data, { headers });
    span.setTag('downstream.success', true);
    return response.data;
  } catch (error) {
    span.setTag(Tags.ERROR, true);
    span.log({ event: 'error', message: error.message });
    throw error;
  }
}

module.exports = { callDownstreamService };
