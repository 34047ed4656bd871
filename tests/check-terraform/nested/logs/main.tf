variable "suffix" {
  type = string
}

resource "aws_s3_bucket" "logs" {
  bucket = "acme-nested-${var.suffix}"
}

output "name" {
  value = aws_s3_bucket.logs.id
}
