def handler(event, context):
    client = context.client_context
    return {
        "requestId": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "function": [context.function_name, context.function_version, context.memory_limit_in_mb],
        "log": [context.log_group_name, context.log_stream_name],
        "tenant": context.tenant_id,
        "client": [client.custom["a"], client.env["locale"], client.client.app_title],
        "identity": [
            context.identity.cognito_identity_id,
            context.identity.cognito_identity_pool_id,
        ],
        "w3c": context.w3c()["traceparent"],
    }
