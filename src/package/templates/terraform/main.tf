# terraform init && terraform apply
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5"
    }
  }
}

locals {
  code    = "${path.module}/${local.files.code}"
  runtime = "${path.module}/${local.files.runtime}"
  files = {
    code    = {{CODE}}
    runtime = {{RUNTIME_LAYER}}
  }
}

resource "aws_lambda_layer_version" "runtime" {
  layer_name               = "trine"
  filename                 = local.runtime
  source_code_hash         = filebase64sha256(local.runtime)
  compatible_architectures = ["x86_64"]
  compatible_runtimes      = ["provided.al2023"]
}

resource "aws_iam_role" "function" {
  name = {{NAME}}
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_function" "function" {
  function_name    = {{NAME}}
  role             = aws_iam_role.function.arn
  filename         = local.code
  source_code_hash = filebase64sha256(local.code)
  handler          = {{HANDLER}}
  runtime          = "provided.al2023"
  architectures    = ["x86_64"]
  layers           = [aws_lambda_layer_version.runtime.arn]
  memory_size      = 512
  timeout          = 30
}

resource "aws_lambda_function_url" "function" {
  function_name      = aws_lambda_function.function.function_name
  authorization_type = "AWS_IAM"
}

output "url" {
  value = aws_lambda_function_url.function.function_url
}
