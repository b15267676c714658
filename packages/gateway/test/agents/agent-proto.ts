/** The messages of the stream between gateway and agent, as far as the test agent uses them. */
export const agentProto = `
syntax = "proto3";
package zentinel.agent.v2;

message ProxyToAgent {
  oneof message {
    HandshakeRequest handshake = 1;
    RequestHeadersEvent request_headers = 2;
    BodyChunkEvent request_body_chunk = 3;
    ResponseHeadersEvent response_headers = 4;
    BodyChunkEvent response_body_chunk = 5;
    WebSocketFrameEvent websocket_frame = 6;
    GuardrailInspectEvent guardrail = 7;
    RequestCompleteEvent request_complete = 8;
    CancelRequest cancel = 9;
    ConfigureEvent configure = 10;
    Ping ping = 11;
  }
}
message AgentToProxy {
  oneof message {
    HandshakeResponse handshake = 1;
    AgentResponse response = 2;
    HealthStatus health = 3;
    FlowControlSignal flow_control = 6;
    Pong pong = 7;
    LogMessage log = 8;
  }
}
message HandshakeRequest {
  repeated uint32 supported_versions = 1;
  string proxy_id = 2;
  string proxy_version = 3;
  string config_json = 4;
}
message HandshakeResponse {
  uint32 protocol_version = 1;
  AgentCapabilities capabilities = 2;
  bool success = 3;
  optional string error = 4;
}
message AgentCapabilities {
  uint32 protocol_version = 1;
  string agent_id = 2;
  string name = 3;
  string version = 4;
  repeated int32 supported_events = 5;
  AgentFeatures features = 6;
  AgentLimits limits = 7;
}
message AgentFeatures {
  bool streaming_body = 1;
  uint32 concurrent_requests = 6;
}
message AgentLimits {
  uint64 max_body_size = 1;
  uint32 max_concurrency = 2;
  uint64 preferred_chunk_size = 3;
}
message RequestMetadata {
  string correlation_id = 1;
  string request_id = 2;
  string client_ip = 3;
  uint32 client_port = 4;
  optional string server_name = 5;
  string protocol = 6;
  optional string tls_version = 7;
  optional string route_id = 8;
  optional string upstream_id = 9;
  uint64 timestamp_ms = 10;
  optional string traceparent = 11;
}
message Header { string name = 1; string value = 2; }
message RequestHeadersEvent {
  RequestMetadata metadata = 1;
  string method = 2;
  string uri = 3;
  string http_version = 4;
  repeated Header headers = 5;
}
message ResponseHeadersEvent {
  string correlation_id = 1;
  uint32 status_code = 2;
  repeated Header headers = 3;
}
message BodyChunkEvent {
  string correlation_id = 1;
  uint32 chunk_index = 2;
  bytes data = 3;
  bool is_last = 4;
  optional uint64 total_size = 5;
  uint64 bytes_transferred = 6;
  uint64 proxy_buffer_available = 7;
  uint64 timestamp_ms = 8;
}
message WebSocketFrameEvent {
  string correlation_id = 1;
  bool client_to_server = 2;
  int32 frame_type = 3;
  bytes payload = 4;
}
message GuardrailInspectEvent {
  string correlation_id = 1;
  string content = 2;
  int32 content_type = 3;
  optional string model = 4;
  string context_json = 5;
}
message RequestCompleteEvent {
  string correlation_id = 1;
  uint32 status_code = 2;
  uint64 duration_ms = 3;
  uint64 bytes_received = 4;
  uint64 bytes_sent = 5;
  optional string upstream = 6;
  bool from_cache = 7;
  optional string error = 8;
}
message ConfigureEvent {
  string config_json = 1;
  optional string config_version = 2;
  bool is_initial = 3;
  uint64 timestamp_ms = 4;
}
message CancelRequest {
  string correlation_id = 1;
  int32 reason = 2;
  uint64 timestamp_ms = 3;
}
message Ping { uint64 sequence = 1; uint64 timestamp_ms = 2; }
message Pong { uint64 sequence = 1; uint64 ping_timestamp_ms = 2; uint64 timestamp_ms = 3; }
message AgentResponse {
  string correlation_id = 1;
  oneof decision {
    AllowDecision allow = 2;
    BlockDecision block = 3;
    RedirectDecision redirect = 4;
    ChallengeDecision challenge = 5;
  }
  repeated HeaderOp request_headers = 10;
  repeated HeaderOp response_headers = 11;
  optional AuditMetadata audit = 12;
  optional uint64 processing_time_ms = 13;
  bool needs_more = 14;
}
message AllowDecision {}
message BlockDecision {
  uint32 status = 1;
  optional string body = 2;
  repeated Header headers = 3;
}
message RedirectDecision { string url = 1; uint32 status = 2; }
message ChallengeDecision { string challenge_type = 1; map<string, string> params = 2; }
message HeaderOp {
  oneof operation {
    Header set = 1;
    Header add = 2;
    string remove = 3;
  }
}
message AuditMetadata {
  repeated string tags = 1;
  repeated string rule_ids = 2;
  optional float confidence = 3;
  repeated string reason_codes = 4;
  map<string, string> custom = 5;
}
message HealthStatus {
  string agent_id = 1;
  int32 state = 2;
  optional string message = 3;
}
message FlowControlSignal { optional string correlation_id = 1; int32 action = 2; }
message LogMessage { int32 level = 1; string message = 2; }
`;
