def handler(event, context):
    assert context.identity.cognito_identity_id is None
    return [
        context.tenant_id is not None,
        context.client_context is not None,
        context.w3c() != {},
    ]
