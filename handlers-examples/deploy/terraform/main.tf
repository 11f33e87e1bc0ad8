# terraform init && terraform apply
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws     = { source = "hashicorp/aws", version = "~> 6.0" }
    archive = { source = "hashicorp/archive", version = "~> 2.7" }
  }
}

provider "aws" {
  region = var.region
}

locals {
  functions = toset(["js", "python", "lua"])
}

data "archive_file" "function" {
  for_each = local.functions

  type        = "zip"
  source_dir  = "${path.module}/../functions/${each.key}"
  output_path = "${path.module}/build/${each.key}.zip"
}

data "archive_file" "middlewares" {
  type        = "zip"
  source_dir  = "${path.module}/../layer"
  output_path = "${path.module}/build/middlewares.zip"
}

resource "aws_lambda_layer_version" "trine" {
  layer_name               = "trine"
  filename                 = var.trine_layer
  source_code_hash         = filebase64sha256(var.trine_layer)
  compatible_runtimes      = ["provided.al2023"]
  compatible_architectures = ["x86_64"]
}

resource "aws_lambda_layer_version" "middlewares" {
  layer_name               = "${var.name}-middlewares"
  filename                 = data.archive_file.middlewares.output_path
  source_code_hash         = data.archive_file.middlewares.output_base64sha256
  compatible_runtimes      = ["provided.al2023"]
  compatible_architectures = ["x86_64"]
}

resource "aws_lambda_function" "function" {
  for_each = local.functions

  function_name    = "${var.name}-${each.key}"
  filename         = data.archive_file.function[each.key].output_path
  source_code_hash = data.archive_file.function[each.key].output_base64sha256
  handler          = "handler.handler"
  runtime          = "provided.al2023"
  architectures    = ["x86_64"]
  layers           = [aws_lambda_layer_version.trine.arn, aws_lambda_layer_version.middlewares.arn]
  memory_size      = 256
  timeout          = 10
  role             = aws_iam_role.function.arn

  environment {
    variables = {
      TRINE_MIDDLEWARES = "request-id"
    }
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.functions.name
    application_log_level = "INFO"
  }

  depends_on = [aws_iam_role_policy.write_logs]
}

resource "aws_lambda_function_url" "function" {
  for_each = local.functions

  function_name      = aws_lambda_function.function[each.key].function_name
  authorization_type = "AWS_IAM"
}

resource "aws_cloudwatch_log_group" "functions" {
  name              = "/trine/${var.name}"
  retention_in_days = 14
}

# Writes to that log group and may do nothing else.
resource "aws_iam_role" "function" {
  name_prefix        = "${var.name}-"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy" "write_logs" {
  name   = "write-logs"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.write_logs.json
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "write_logs" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.functions.arn}:*"]
  }
}
