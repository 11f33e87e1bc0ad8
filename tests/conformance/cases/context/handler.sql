SELECT
  context('request_id') AS requestId,
  context('invoked_function_arn') AS arn,
  context('function_name') AS function,
  context('log_group_name') AS log,
  context('tenant_id') AS tenant,
  context('trace_id') AS trace,
  context('client_context') ->> '$.custom.a' AS client,
  context('identity') ->> 'cognitoIdentityId' AS identity,
  context('traceparent') AS w3c;
