variable "region" {
  description = "Where the functions run."
  type        = string
  default     = "eu-central-1"
}

variable "name" {
  description = "What all names begin with."
  type        = string
  default     = "trine-greet"
}

variable "trine_layer" {
  description = "Path of the layer's zip, as `make layer` writes it."
  type        = string
  default     = "../../../dist/trine-layer-x86_64-python3.11.zip"
}
