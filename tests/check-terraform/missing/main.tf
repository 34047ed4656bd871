#~ LM1301

resource "aws_s3_bucket" "logs" {
  bucket = "acme-missing-logs"
}

resource "aws_s3_bucket" "web" {
  bucket = "acme-missing-web"
}

resource "aws_s3_bucket_logging" "web" {
  bucket        = aws_s3_bucket.web.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "s3/"
}
