/** The messages and calls of the router that leads to the processes of a sandbox. */
export const routerMessages = `
message SandboxStdioReadV2Request { string task_id = 1; uint64 offset = 2; int32 file_descriptor = 3; }
message SandboxStdioReadV2Response { bytes data = 1; uint64 starting_offset = 2; }
message SandboxStdinWriteV2Request { string task_id = 1; uint64 offset = 2; bytes data = 3; bool eof = 4; }
message SandboxStdinWriteV2Response {}
message TaskExecStartRequest {
  string task_id = 1;
  string exec_id = 2;
  repeated string command_args = 3;
  int32 stdout_config = 4;
  int32 stderr_config = 5;
  optional uint32 timeout_secs = 6;
  optional string workdir = 7;
  repeated string secret_ids = 8;
  string container_id = 11;
  map<string, string> env = 12;
  repeated modal.client.SecretSource secret_sources = 13;
}
message TaskExecStartResponse {}
message TaskExecStdioReadRequest { string task_id = 1; string exec_id = 2; uint64 offset = 3; int32 file_descriptor = 4; }
message TaskExecStdioReadResponse { bytes data = 1; }
message TaskExecWaitRequest { string task_id = 1; string exec_id = 2; }
message TaskExecWaitResponse { optional int32 code = 1; optional int32 signal = 2; }
message TaskExecPollRequest { string task_id = 1; string exec_id = 2; }
message TaskExecPollResponse { optional int32 code = 1; optional int32 signal = 2; }
message TaskExecStdinWriteRequest { string task_id = 1; string exec_id = 2; uint64 offset = 3; bytes data = 4; bool eof = 5; }
message TaskExecStdinWriteResponse {}
message TaskExecStdinStatusRequest { string task_id = 1; string exec_id = 2; }
message TaskExecStdinStatusResponse { uint64 num_bytes_written = 1; bool closed = 2; }
message TaskExecStdinWriteStreamStart { string task_id = 1; string exec_id = 2; uint64 offset = 3; }
message TaskExecStdinWriteStreamEnd {}
message TaskExecStdinWriteStreamRequest {
  oneof payload {
    TaskExecStdinWriteStreamStart start = 1;
    bytes data = 2;
    TaskExecStdinWriteStreamEnd end = 3;
  }
}
message TaskExecStdinWriteStreamResponse {}
`;

export const routerCalls = `
rpc SandboxStdioReadV2(SandboxStdioReadV2Request) returns (stream SandboxStdioReadV2Response);
rpc SandboxStdinWriteV2(SandboxStdinWriteV2Request) returns (SandboxStdinWriteV2Response);
rpc TaskExecStart(TaskExecStartRequest) returns (TaskExecStartResponse);
rpc TaskExecStdioRead(TaskExecStdioReadRequest) returns (stream TaskExecStdioReadResponse);
rpc TaskExecWait(TaskExecWaitRequest) returns (TaskExecWaitResponse);
rpc TaskExecPoll(TaskExecPollRequest) returns (TaskExecPollResponse);
rpc TaskExecStdinWrite(TaskExecStdinWriteRequest) returns (TaskExecStdinWriteResponse);
rpc TaskExecStdinStatus(TaskExecStdinStatusRequest) returns (TaskExecStdinStatusResponse);
rpc TaskExecStdinWriteStream(stream TaskExecStdinWriteStreamRequest) returns (TaskExecStdinWriteStreamResponse);
`;
