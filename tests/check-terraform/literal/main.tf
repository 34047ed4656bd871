#~ unknown


resource "aws_s3_bucket" "web" {
  bucket = "acme-literal-web"
}

resource "aws_s3_bucket_logging" "web" {
  bucket        = aws_s3_bucket.web.id
  target_bucket = "acme-somewhere-else"
  target_prefix = "s3/"
}
