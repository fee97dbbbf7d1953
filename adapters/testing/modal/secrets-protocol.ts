/**
 * The messages and calls for secrets. Field numbers and types are those of the client's own bundled
 * codec; a test compares them with the installed client.
 */
export const secretMessages = `
message CreationInfo { double created_at = 1; string created_by = 2; }
message SecretMetadata {
  string name = 1;
  CreationInfo creation_info = 2;
  repeated string keys = 3;
  string environment_name = 4;
}
message SecretGetOrCreateRequest {
  string deployment_name = 1;
  string environment_name = 3;
  int32 object_creation_type = 4;
  map<string, string> env_dict = 5;
  string app_id = 6;
  repeated string required_keys = 7;
}
message SecretGetOrCreateResponse { string secret_id = 1; SecretMetadata metadata = 2; }
message SecretUpdateRequest {
  message Update { string key = 1; optional string value = 2; }
  string secret_id = 1;
  repeated Update updates = 2;
}
message SecretDeleteRequest { string secret_id = 1; }
message SecretGetInfoRequest { string secret_id = 1; }
message SecretGetInfoResponse { SecretMetadata metadata = 1; }
message ListPagination { int32 max_objects = 1; double created_before = 2; }
message SecretListRequest { string environment_name = 1; ListPagination pagination = 2; }
message SecretListItem {
  string label = 1;
  double created_at = 2;
  double last_used_at = 3;
  string environment_name = 4;
  string secret_id = 5;
  SecretMetadata metadata = 6;
}
message SecretListResponse { repeated SecretListItem items = 1; string environment_name = 2; }
`;

export const secretCalls = `
rpc SecretGetOrCreate(SecretGetOrCreateRequest) returns (SecretGetOrCreateResponse);
rpc SecretUpdate(SecretUpdateRequest) returns (Empty);
rpc SecretDelete(SecretDeleteRequest) returns (Empty);
rpc SecretGetInfo(SecretGetInfoRequest) returns (SecretGetInfoResponse);
rpc SecretList(SecretListRequest) returns (SecretListResponse);
`;
