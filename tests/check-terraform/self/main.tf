#~ LM1104


resource "aws_s3_bucket" "web" {
  bucket = "acme-self-web"
}

resource "aws_s3_bucket_logging" "web" {
  bucket        = aws_s3_bucket.web.id
  target_bucket = aws_s3_bucket.web.id
  target_prefix = "s3/"
}
