/** The messages and calls for sandboxes of both backends; those with V2 in their name are of the newer one. */
export const sandboxMessages = `
message VolumeMount {
  string volume_id = 1;
  string mount_path = 2;
  bool allow_background_commits = 3;
  bool read_only = 4;
  optional string sub_path = 5;
}
message CloudBucketMount {
  string bucket_name = 1;
  string mount_path = 2;
  string credentials_secret_id = 3;
  bool read_only = 4;
  int32 bucket_type = 5;
  bool requester_pays = 6;
  optional string bucket_endpoint_url = 7;
  optional string key_prefix = 8;
  optional string oidc_auth_role_arn = 9;
}
message NetworkAccess {
  int32 network_access_type = 1;
  repeated string allowed_cidrs = 2;
  repeated string allowed_domains = 3;
}
message StringMap { map<string, string> contents = 1; }
message SecretSource { oneof source { string secret_id = 1; StringMap env = 2; } }
message SandboxTag { string tag_name = 1; string tag_value = 2; }
message GPUConfig { uint32 count = 2; string gpu_type = 4; }
message Resources {
  uint32 memory_mb = 2;
  uint32 milli_cpu = 3;
  GPUConfig gpu_config = 4;
  uint32 memory_mb_max = 5;
  uint32 milli_cpu_max = 7;
}
message SchedulerPlacement { repeated string regions = 4; }
message Sandbox {
  repeated string entrypoint_args = 1;
  Resources resources = 5;
  string image_id = 3;
  repeated string secret_ids = 4;
  uint32 timeout_secs = 7;
  optional string workdir = 8;
  repeated VolumeMount volume_mounts = 13;
  repeated CloudBucketMount cloud_bucket_mounts = 14;
  SchedulerPlacement scheduler_placement = 17;
  NetworkAccess network_access = 22;
  optional string proxy_id = 23;
  bool enable_snapshot = 24;
  string cloud_provider_str = 26;
  bool verbose = 29;
  optional string name = 30;
  optional uint32 idle_timeout_secs = 33;
  bool include_oidc_identity_token = 37;
  repeated string inbound_cidr_allowlist = 39;
}
message CommandRouterAccess { string jwt = 1; string url = 2; }
message SandboxHandleMetadata { GenericResult result = 1; string app_id = 2; }
message SandboxCreateV2Request {
  string app_id = 1;
  Sandbox definition = 2;
  repeated SandboxTag tags = 4;
  repeated SecretSource secret_sources = 6;
}
message SandboxCreateV2Response {
  string sandbox_id = 1;
  string task_id = 3;
  SandboxHandleMetadata metadata = 4;
  CommandRouterAccess command_router_access = 5;
}
message SandboxCreateRequest {
  string app_id = 1;
  Sandbox definition = 2;
  string environment_name = 3;
  repeated SandboxTag tags = 4;
}
message SandboxCreateResponse { string sandbox_id = 1; SandboxHandleMetadata metadata = 2; }
message SandboxGetTaskIdRequest { string sandbox_id = 1; optional float timeout = 2; bool wait_until_ready = 3; }
message SandboxGetTaskIdResponse { optional string task_id = 1; GenericResult task_result = 2; }
message SandboxWaitRequest { string sandbox_id = 1; float timeout = 2; }
message SandboxWaitResponse { GenericResult result = 1; SandboxHandleMetadata metadata = 2; }
message SandboxTerminateRequest { string sandbox_id = 1; }
message SandboxTerminateResponse { GenericResult existing_result = 1; }
message SandboxGetLogsRequest { string sandbox_id = 1; int32 file_descriptor = 2; float timeout = 3; string last_entry_id = 4; }
message TaskLogs { string data = 1; double timestamp = 7; int32 file_descriptor = 8; }
message TaskLogsBatch { string task_id = 1; repeated TaskLogs items = 2; string entry_id = 5; bool app_done = 10; bool eof = 14; }
message SandboxStdinWriteRequest { string sandbox_id = 1; bytes input = 2; uint32 index = 3; bool eof = 4; }
message SandboxGetCommandRouterAccessRequest { optional string sandbox_id = 1; optional string task_id = 2; }
message SandboxGetCommandRouterAccessResponse { string jwt = 1; string url = 2; }
message TaskGetCommandRouterAccessRequest { string task_id = 1; }
message TaskGetCommandRouterAccessResponse { string jwt = 1; string url = 2; }
message SandboxTagsSetRequest { string environment_name = 1; string sandbox_id = 2; repeated SandboxTag tags = 3; }
message SandboxTagsGetRequest { string sandbox_id = 1; }
message SandboxTagsGetResponse { repeated SandboxTag tags = 1; }
message SandboxListRequest {
  string app_id = 1;
  double before_timestamp = 2;
  string environment_name = 3;
  bool include_finished = 4;
  repeated SandboxTag tags = 5;
}
message SandboxInfo {
  string id = 1;
  double created_at = 3;
  string app_id = 5;
  repeated SandboxTag tags = 6;
  string name = 7;
  string image_id = 8;
  uint32 timeout_secs = 11;
}
message SandboxListResponse { repeated SandboxInfo sandboxes = 1; }
`;

export const sandboxCalls = `
rpc SandboxCreate(SandboxCreateRequest) returns (SandboxCreateResponse);
rpc SandboxCreateV2(SandboxCreateV2Request) returns (SandboxCreateV2Response);
rpc SandboxGetTaskId(SandboxGetTaskIdRequest) returns (SandboxGetTaskIdResponse);
rpc SandboxGetTaskIdV2(SandboxGetTaskIdRequest) returns (SandboxGetTaskIdResponse);
rpc SandboxWait(SandboxWaitRequest) returns (SandboxWaitResponse);
rpc SandboxWaitV2(SandboxWaitRequest) returns (SandboxWaitResponse);
rpc SandboxTerminate(SandboxTerminateRequest) returns (SandboxTerminateResponse);
rpc SandboxTerminateV2(SandboxTerminateRequest) returns (SandboxTerminateResponse);
rpc SandboxGetLogs(SandboxGetLogsRequest) returns (stream TaskLogsBatch);
rpc SandboxStdinWrite(SandboxStdinWriteRequest) returns (Empty);
rpc SandboxGetCommandRouterAccess(SandboxGetCommandRouterAccessRequest) returns (SandboxGetCommandRouterAccessResponse);
rpc TaskGetCommandRouterAccess(TaskGetCommandRouterAccessRequest) returns (TaskGetCommandRouterAccessResponse);
rpc SandboxTagsSet(SandboxTagsSetRequest) returns (Empty);
rpc SandboxTagsSetV2(SandboxTagsSetRequest) returns (Empty);
rpc SandboxTagsGet(SandboxTagsGetRequest) returns (SandboxTagsGetResponse);
rpc SandboxTagsGetV2(SandboxTagsGetRequest) returns (SandboxTagsGetResponse);
rpc SandboxList(SandboxListRequest) returns (SandboxListResponse);
rpc SandboxListV2(SandboxListRequest) returns (SandboxListResponse);
`;
