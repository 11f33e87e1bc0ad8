output "urls" {
  description = "The functions' URLs, by language."
  value       = { for language, url in aws_lambda_function_url.function : language => url.function_url }
}
