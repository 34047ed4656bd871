#~ LM1102

variable "target" {
  type = string
}

resource "aws_s3_bucket" "web" {
  bucket = "acme-variable-web"
}

resource "aws_s3_bucket_logging" "web" {
  bucket        = aws_s3_bucket.web.id
  target_bucket = var.target
  target_prefix = "s3/"
}
